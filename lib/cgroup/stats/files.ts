import { readdirSync } from 'node:fs';
import { hasErrno } from '../../core/errno.ts';
import { fileError } from '../../core/error.ts';
import { isGone, readText } from '../files.ts';
import { parseCounter } from './parse.ts';

/** The text of a statistics file; undefined where there is none, or when the cgroup has gone. */
export function readStat(directory: string | undefined, file: string): string | undefined {
  if (directory === undefined) return undefined;
  const path = `${directory}/${file}`;
  try {
    return readText(path);
  } catch (error) {
    // The kernel refuses to read a file whose feature is off.
    if (isGone(error) || hasErrno(error, 'EOPNOTSUPP', 'EINVAL')) return undefined;
    throw fileError(`read ${path}`, error);
  }
}

/** The number in a statistics file; 0 where there is none. */
export function readCounter(directory: string | undefined, file: string): bigint {
  const text = readStat(directory, file);
  return (text === undefined ? undefined : parseCounter(text)) ?? 0n;
}

/** The huge page sizes that a cgroup has files for. `file` matches one file of each size, and its group is the size. */
export function hugePageSizes(directory: string | undefined, file: RegExp): string[] {
  if (directory === undefined) return [];
  try {
    return readdirSync(directory)
      .map((name) => file.exec(name)?.[1])
      .filter((size) => size !== undefined)
      .sort();
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return [];
    throw fileError(`list ${directory}`, error);
  }
}
