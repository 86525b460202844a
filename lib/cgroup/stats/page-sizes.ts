import { readdirSync } from 'node:fs';
import { failedWith, ioError } from '../files.ts';

/** The sizes of huge pages a cgroup has files for; `file` finds the size in the name of one of them. */
export function pageSizes(directory: string | undefined, file: RegExp): string[] {
  if (directory === undefined) return [];
  try {
    return readdirSync(directory)
      .map((name) => file.exec(name)?.[1])
      .filter((size) => size !== undefined)
      .sort();
  } catch (error) {
    if (failedWith(error, 'ENOENT')) return [];
    throw ioError(`list ${directory}`, error);
  }
}
