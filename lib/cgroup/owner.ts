import { chownSync, lstatSync, readFileSync } from 'node:fs';
import { mountAttributes, parseMountOptions } from '../config/mount-options.ts';
import { hostId } from '../config/id-mappings.ts';
import { findNamespace, hasNewNamespace } from '../config/namespaces.ts';
import type { Config, Mount } from '../config/types.ts';
import { failedWith, ioError } from './files.ts';

/**
 * Who owns the container's cgroup (config-linux.md, "Cgroup ownership"), as an id of the host: the user of its
 * process, where the container has a cgroup namespace and its cgroup mounted writable. Undefined where it stays the
 * host's.
 */
export function cgroupOwner({ linux, mounts = [], process }: Config): number | undefined {
  if (!hasNewNamespace(linux, 'cgroup') || !mounts.some(isWritableCgroup)) return undefined;
  const uid = process?.user?.uid ?? 0;
  if (hasNewNamespace(linux, 'user')) return hostId(linux?.uidMappings ?? [], uid);
  // What ids a namespace stands for that somebody else has made, they know.
  return findNamespace(linux, 'user') === undefined ? uid : undefined;
}

function isWritableCgroup({ type, source, destination, options }: Mount): boolean {
  if (source !== 'cgroup' || (type !== 'cgroup' && type !== 'cgroup2')) return false;
  if (destination.replace(/\/+$/, '') !== '/sys/fs/cgroup') return false;
  const { bind, attributes, recursiveAttributes } = parseMountOptions(options);
  return bind === 'none' && ((attributes.set | recursiveAttributes.set) & mountAttributes.readonly) === 0;
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
