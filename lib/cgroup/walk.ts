import { closeSync, constants, openSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { failedWith, ioError, isGone, readText } from './files.ts';

/** Well below PATH_MAX (4096), which a container that may nest cgroups can exceed. */
const longPath = 3000;

/**
 * Calls `visit` for the cgroup and every cgroup below it, children before their parents. The tree may belong
 * to a hostile container: it may be deeper than a path can say, wider than there are descriptors, and change
 * meanwhile.
 */
export function walk(root: string, visit: (directory: string) => void): void {
  const descriptors = new Set<number>();
  // The last one is next: a recursion without its stack, which a deep tree would use up.
  const steps: (() => void)[] = [];
  // Seen from a descriptor, the path is short again.
  const base = (directory: string): string => {
    if (directory.length < longPath) return directory;
    const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    descriptors.add(fd);
    steps.push(() => {
      descriptors.delete(fd);
      closeSync(fd);
    });
    return `/proc/self/fd/${String(fd)}`;
  };
  const enter = (directory: string): void => {
    steps.push(() => {
      visit(directory);
    });
    try {
      if (!hasChildren(directory)) return;
      const parent = base(directory);
      for (const name of childNames(parent)) {
        steps.push(() => {
          enter(posix.join(parent, name));
        });
      }
    } catch (error) {
      if (!isGone(error)) throw ioError(`read cgroup ${directory}`, error);
    }
  };
  try {
    enter(root);
    for (let step = steps.pop(); step !== undefined; step = steps.pop()) step();
  } finally {
    for (const fd of descriptors) closeSync(fd);
  }
}

/** Pids of all processes in the cgroup and below it, each once; none when it does not exist. */
export function processesBelow(root: string): number[] {
  const pids = new Set<number>();
  walk(root, (directory) => {
    try {
      for (const line of readText(`${directory}/cgroup.procs`).split('\n')) {
        const pid = Number(line);
        // 0 is a process of a pid namespace we do not see; as an argument of kill(2) it is our own group.
        if (pid > 0) pids.add(pid);
      }
    } catch (error) {
      // Those in a threaded cgroup are listed in the domain it belongs to (cgroups(7), "Thread mode").
      if (!isGone(error) && !failedWith(error, 'EOPNOTSUPP'))
        throw ioError(`read cgroup ${directory}`, error);
    }
  });
  return [...pids];
}

/** Removes the cgroup and all below it. False when a process is still in one of them. */
export function removeTree(root: string): boolean {
  if (removeOne(root)) return true;
  walk(root, removeOne);
  return removeOne(root);
}

/** False when it is in use, by a process or a child. */
function removeOne(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    if (isGone(error)) return true;
    if (failedWith(error, 'EBUSY', 'ENOTEMPTY')) return false;
    throw error;
  }
}

/** cgroupfs counts a directory's children in its links, which saves listing all the files of most cgroups. */
export function hasChildren(directory: string): boolean {
  return statSync(directory).nlink > 2;
}

function childNames(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
}
