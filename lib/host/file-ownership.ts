import type { Stats } from 'node:fs';

/** The part of fstat(2)'s result that is needed here. */
export type FileStatus = Pick<Stats, 'uid' | 'mode' | 'isFile' | 'isDirectory'>;

const writableByOthers = 0o022;
const sticky = 0o1000;

/** True for a file or directory of this process's user that nobody else may write. Take `stat` from a descriptor. */
export function isOwn(stat: FileStatus, kind: 'file' | 'directory'): boolean {
  return whyNotOwn(stat, kind) === undefined;
}

/** Why isOwn() is false: `it belongs to uid 7`; undefined when it is true. */
export function whyNotOwn(stat: FileStatus, kind: 'file' | 'directory'): string | undefined {
  if (!(kind === 'file' ? stat.isFile() : stat.isDirectory())) {
    return kind === 'file' ? 'it is not a regular file' : 'it is not a directory';
  }
  if (stat.uid !== process.geteuid?.()) return `it belongs to uid ${stat.uid}`;
  return (stat.mode & writableByOthers) === 0 ? undefined : `others may write it (mode ${modeOf(stat)})`;
}

/**
 * Why other users may replace this user's files in a directory; undefined when they may not. The directory may be root's,
 * and writable by all when it has the sticky bit (inode(7)), with which nobody can rename the files of others.
 */
export function whyReplaceable(stat: FileStatus): string | undefined {
  if (!stat.isDirectory()) return 'it is not a directory';
  if (!isOwnOrRoot(stat.uid)) return `it belongs to uid ${stat.uid}`;
  const safe = (stat.mode & writableByOthers) === 0 || (stat.mode & sticky) !== 0;
  return safe ? undefined : `others may write it (mode ${modeOf(stat)})`;
}

/** This process's user, or root, who can do everything anyway. */
export function isOwnOrRoot(uid: number): boolean {
  return uid === 0 || uid === process.geteuid?.();
}

function modeOf({ mode }: FileStatus): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}
