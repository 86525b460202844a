import { chownSync, lstatSync, readFileSync } from 'node:fs';
import { hasErrno } from '../core/errno.ts';
import { fileError } from '../core/error.ts';
import { wantsReadonly } from '../config/mount-options.ts';
import { type ParsedMount, parseMounts } from '../config/mounts.ts';
import { hostId } from '../config/id-maps.ts';
import { findNamespace, hasNewNamespace } from '../config/namespaces.ts';
import type { Config } from '../config/types.ts';

/**
 * The host's uid of the user that owns the container's cgroup (config-linux.md, "Cgroup ownership"): the user of its
 * process, when the container has a new cgroup namespace and its cgroup is mounted writable. Undefined when the owner
 * does not change.
 */
export function cgroupOwner(config: Config): number | undefined {
  const { linux, process: processSpec } = config;
  if (!hasNewNamespace(linux, 'cgroup') || !parseMounts(config).some(isWritableCgroup)) return undefined;
  const uid = processSpec?.user?.uid ?? 0;
  if (hasNewNamespace(linux, 'user')) return hostId(linux?.uidMappings ?? [], uid);
  // The mappings of a user namespace that is joined by path are not in the config.
  return findNamespace(linux, 'user') === undefined ? uid : undefined;
}

function isWritableCgroup({ mount, destination, options, bind }: ParsedMount): boolean {
  const { source, type } = mount;
  if (bind || source !== 'cgroup' || (type !== 'cgroup' && type !== 'cgroup2')) return false;
  return destination === '/sys/fs/cgroup' && !wantsReadonly(options);
}

/**
 * Delegates a cgroup v2 directory to a user: chowns it and the files that the kernel lists for that, which move
 * processes and set no limits (cgroups(7), "Delegation").
 */
export function delegateCgroup(directory: string, uid: number): void {
  for (const name of ['', ...delegatedFiles()]) {
    const path = name === '' ? directory : `${directory}/${name}`;
    try {
      chownSync(path, uid, lstatSync(path).gid);
    } catch (error) {
      // Not every cgroup has every file.
      if (!hasErrno(error, 'ENOENT')) throw fileError(`give ${path} to uid ${String(uid)}`, error);
    }
  }
}

/** The kernel lists them since Linux 4.15. */
function delegatedFiles(): string[] {
  try {
    return readFileSync('/sys/kernel/cgroup/delegate', 'latin1')
      .split('\n')
      .filter((name) => name !== '');
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw fileError('read /sys/kernel/cgroup/delegate', error);
    return ['cgroup.procs', 'cgroup.subtree_control', 'cgroup.threads'];
  }
}
