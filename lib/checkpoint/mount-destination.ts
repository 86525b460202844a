import { closeSync, constants, openSync, readlinkSync } from 'node:fs';
import { openInRoot } from '../native/file.ts';

/** Not in node:fs: open(2). */
const oPath = 0x200000;

/** Lends a descriptor of a directory, as a place to look from. */
export function withDirectory<T>(path: string, use: (directory: number) => T): T {
  const directory = openSync(path, oPath | constants.O_DIRECTORY);
  try {
    return use(directory);
  } finally {
    closeSync(directory);
  }
}

/**
 * What the kernel calls the place of a mount's destination in the rootfs or container that `root` is open on: links
 * on the way are followed inside it; the last part is not where it is mounted on, or made, though it is a link.
 */
export function placeInside(
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
