import { closeSync, constants, openSync, readdirSync, statSync } from 'node:fs';
import { fileError } from '../core/error.ts';
import { isGone } from './files.ts';
import { closeAll } from '../host/filesystem.ts';

/** Bytes, well below PATH_MAX (4096), which a container that may nest cgroups can exceed. */
const longPath = 3000;

/** The path of a cgroup. As bytes where a container has given a name that is not UTF-8: a string would name another. */
export type CgroupPath = string | Buffer;

/** The path of a file of a cgroup, or of a child. */
export function inside(directory: CgroupPath, name: CgroupPath): CgroupPath {
  if (typeof directory === 'string' && typeof name === 'string') return `${directory}/${name}`;
  return Buffer.concat([directory, '/', name].map((part) => Buffer.from(part)));
}

/**
 * Calls `visit` for the cgroup and every cgroup below it, children before their parents. A hostile container may have
 * made the tree deeper than the longest path and wider than there are descriptors, and may change it meanwhile.
 */
export function walk(root: string, visit: (directory: CgroupPath) => void): void {
  const descriptors = new Set<number>();
  // A stack of what is left to do: a recursion would overflow its own on a deep tree.
  const steps: (() => void)[] = [];
  // A path that begins at a descriptor is short again.
  const base = (directory: CgroupPath): CgroupPath => {
    if (Buffer.byteLength(directory) < longPath) return directory;
    const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    descriptors.add(fd);
    steps.push(() => {
      descriptors.delete(fd);
      closeSync(fd);
    });
    return `/proc/self/fd/${String(fd)}`;
  };
  const enter = (directory: CgroupPath): void => {
    steps.push(() => {
      visit(directory);
    });
    try {
      if (!hasChildren(directory)) return;
      const parent = base(directory);
      for (const name of childNames(parent)) {
        steps.push(() => {
          enter(inside(parent, name));
        });
      }
    } catch (error) {
      if (!isGone(error)) throw fileError(`read cgroup ${String(directory)}`, error);
    }
  };
  try {
    enter(root);
    for (let step = steps.pop(); step !== undefined; step = steps.pop()) step();
  } finally {
    closeAll(descriptors);
  }
}

/** cgroupfs counts the children of a directory in its links: no need to list the files of those without any. */
export function hasChildren(directory: CgroupPath): boolean {
  return statSync(directory).nlink > 2;
}

/** The names of the cgroups in a cgroup. */
export function childNames(directory: CgroupPath): CgroupPath[] {
  const names = readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
  return names.some((name) => name.includes(replacementCharacter)) ? childNamesAsBytes(directory) : names;
}

/** What a string has in the place of bytes that are not UTF-8. */
const replacementCharacter = '\ufffd';

function childNamesAsBytes(directory: CgroupPath): Buffer[] {
  return readdirSync(directory, 'buffer').filter(
    (name) => statSync(inside(directory, name), { throwIfNoEntry: false })?.isDirectory() === true,
  );
}
