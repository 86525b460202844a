import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder with `mode`, and those above it that are missing. One that exists stays as it is. Not mkdirSync's
 * `recursive`: where the kernel lets nobody make a folder (/proc) Node tries for ever.
 * @throws the error of mkdir(2) or stat(2), as node:fs throws it
 */
export function makeFolders(path: string, mode: number): void {
  if (makeFolder(path, mode)) return;
  makeFolders(dirname(path), mode);
  mkdirSync(path, { mode });
}

/** False when the folder above is missing. */
function makeFolder(path: string, mode: number): boolean {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
    if (isFolder) return true;
    if (code !== 'ENOENT' || statSync(dirname(path), { throwIfNoEntry: false }) !== undefined) throw error;
    return false;
  }
  return true;
}
