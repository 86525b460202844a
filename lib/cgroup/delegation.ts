import { chownSync, lstatSync, readFileSync } from 'node:fs';
import { mountAttributes } from '../config/mount-options.ts';
import type { ParsedMount } from '../config/mounts.ts';
import { parseMounts } from '../config/mounts.ts';
import { hostId } from '../config/id-maps.ts';
import { findNamespace, hasNewNamespace } from '../config/namespaces.ts';
import type { Config } from '../config/types.ts';
import { failedWith, ioError } from './files.ts';

/**
 * Who owns the container's cgroup (config-linux.md, "Cgroup ownership"), as an id of the host: the user of its
 * process, where the container has a cgroup namespace and its cgroup mounted writable. Undefined where it stays the
 * host's.
 */
export function cgroupOwner(config: Config): number | undefined {
  const { linux, process } = config;
  if (!hasNewNamespace(linux, 'cgroup') || !parseMounts(config).some(isWritableCgroup)) return undefined;
  const uid = process?.user?.uid ?? 0;
  if (hasNewNamespace(linux, 'user')) return hostId(linux?.uidMappings ?? [], uid);
  // What ids a namespace stands for that somebody else has made, they know.
  return findNamespace(linux, 'user') === undefined ? uid : undefined;
}

function isWritableCgroup({ mount, destination, options, bind }: ParsedMount): boolean {
  const { source, type } = mount;
  if (bind || source !== 'cgroup' || (type !== 'cgroup' && type !== 'cgroup2')) return false;
  const { attributes, recursiveAttributes } = options;
  return (
    destination === '/sys/fs/cgroup' &&
    ((attributes.set | recursiveAttributes.set) & mountAttributes.readonly) === 0
  );
}

/**
 * Gives a cgroup v2 directory to a user, and those of its files that the kernel has for that: they move processes,
 * and set no limits (cgroups(7), "Delegation").
 */
export function giveCgroup(directory: string, uid: number): void {
  for (const name of ['', ...delegatedFiles()]) {
    const path = name === '' ? directory : `${directory}/${name}`;
    try {
      chownSync(path, uid, lstatSync(path).gid);
    } catch (error) {
      // Not every cgroup has every file.
      if (!failedWith(error, 'ENOENT')) throw ioError(`give ${path} to uid ${String(uid)}`, error);
    }
  }
}

/** Since Linux 4.15 the kernel lists them. */
function delegatedFiles(): string[] {
  try {
    return readFileSync('/sys/kernel/cgroup/delegate', 'latin1')
      .split('\n')
      .filter((name) => name !== '');
  } catch (error) {
    if (!failedWith(error, 'ENOENT')) throw ioError('read /sys/kernel/cgroup/delegate', error);
    return ['cgroup.procs', 'cgroup.subtree_control', 'cgroup.threads'];
  }
}
