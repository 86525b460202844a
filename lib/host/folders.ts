import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder with `mode`, and those above it that are missing. One that exists stays as it is. Not mkdirSync's
 * `recursive`: where the kernel lets nobody make a folder (/proc) Node tries for ever.
 * @throws the error of mkdir(2) or stat(2), as node:fs throws it
 */
export function makeFolders(path: string, mode: number): void {
  try {
    makeFolder(path, mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    // Somebody else may have made it meanwhile.
    if (statSync(dirname(path), { throwIfNoEntry: false }) === undefined) makeFolders(dirname(path), mode);
    makeFolder(path, mode);
  }
}

/** Fine when it is there. */
function makeFolder(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
  }
}
