import { failedWith, ioError, isGone, readText } from '../files.ts';
import { parseCounter } from './parse.ts';

/** What a kernel says of a file it has no statistics for: it is absent, or its feature is off. */
const absent = ['EOPNOTSUPP', 'EINVAL'] as const;

/** The text of a statistics file; undefined where there is none, or when the cgroup has gone. */
export function readStat(directory: string | undefined, file: string): string | undefined {
  if (directory === undefined) return undefined;
  const path = `${directory}/${file}`;
  try {
    return readText(path);
  } catch (error) {
    if (isGone(error) || failedWith(error, ...absent)) return undefined;
    throw ioError(`read ${path}`, error);
  }
}

/** The same for one number; 0 where there is none. */
export function readCounter(directory: string | undefined, file: string): bigint {
  const text = readStat(directory, file);
  return (text === undefined ? undefined : parseCounter(text)) ?? 0n;
}
