import type { Stats } from 'node:fs';

/** What fstat(2) says. */
export type Looked = Pick<Stats, 'uid' | 'mode' | 'isFile' | 'isDirectory'>;

const writableByOthers = 0o022;
const sticky = 0o1000;

/** True for a file or directory of this process's user that nobody else may write. Look at a descriptor. */
export function isOurs(stat: Looked, kind: 'file' | 'directory'): boolean {
  return whyNotOurs(stat, kind) === undefined;
}

/** Why it is not one: `it belongs to uid 7`; undefined when it is. */
export function whyNotOurs(stat: Looked, kind: 'file' | 'directory'): string | undefined {
  if (!(kind === 'file' ? stat.isFile() : stat.isDirectory())) {
    return kind === 'file' ? 'it is not a regular file' : 'it is not a directory';
  }
  if (stat.uid !== process.geteuid?.()) return `it belongs to uid ${stat.uid}`;
  return (stat.mode & writableByOthers) === 0 ? undefined : `others may write it (mode ${modeOf(stat)})`;
}

/**
 * Why others may replace what we keep in this directory; undefined when they may not. It may be root's, and with a
 * sticky bit (inode(7)) open to all: there nobody can move what is ours.
 */
export function whyShared(stat: Looked): string | undefined {
  if (!stat.isDirectory()) return 'it is not a directory';
  if (!isTrusted(stat.uid)) return `it belongs to uid ${stat.uid}`;
  const safe = (stat.mode & writableByOthers) === 0 || (stat.mode & sticky) !== 0;
  return safe ? undefined : `others may write it (mode ${modeOf(stat)})`;
}

/** This process's user, or root, who can do everything anyway. */
export function isTrusted(uid: number): boolean {
  return uid === 0 || uid === process.geteuid?.();
}

function modeOf({ mode }: Looked): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}
