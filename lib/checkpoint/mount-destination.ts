import { closeSync, constants, openSync, readlinkSync } from 'node:fs';
import { openInRoot } from '../native/file.ts';

/** O_PATH of open(2), which node:fs does not name. */
const oPath = 0x200000;

/** Opens a directory with O_PATH and calls `use` with the descriptor. */
export function withDirectory<T>(path: string, use: (directory: number) => T): T {
  const directory = openSync(path, oPath | constants.O_DIRECTORY);
  try {
    return use(directory);
  } finally {
    closeSync(directory);
  }
}

/**
 * Resolves a mount destination below `root` and returns the kernel's path of it. Links are followed inside `root`; the
 * last one is not where the mount replaces it (destination-nofollow, copy-symlink).
 *
 * @throws an error of node:fs when the destination does not exist
 */
export function resolveDestination(
  root: number,
  destination: string,
  options: { destinationNoFollow: boolean; copySymlink: boolean },
): string {
  const last = options.destinationNoFollow || options.copySymlink ? constants.O_NOFOLLOW : 0;
  const fd = openInRoot(root, destination, oPath | last);
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}
