import { closeSync, lstatSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { hasErrno } from '../core/errno.ts';
import { fileError } from '../core/error.ts';

/**
 * True when there is a file of any kind at `path`, a dangling link included.
 * @throws TsrunError 'system' when the kernel does not tell
 */
export function pathExists(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    throw fileError(`look at ${path}`, error);
  }
}

/** Closes descriptors. */
export function closeAll(fds: Iterable<number> = []): void {
  for (const fd of fds) closeSync(fd);
}

/**
 * Makes a folder with `mode`, and those above it that are missing. One that exists stays as it is. Unlike mkdirSync
 * with `recursive`, which Node repeats without end where the kernel allows nobody to make a folder (/proc).
 * @throws the error of mkdir(2) or stat(2), as node:fs throws it
 */
export function makeFolders(path: string, mode: number): void {
  try {
    makeFolder(path, mode);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
    // Another process may have made it meanwhile.
    if (statSync(dirname(path), { throwIfNoEntry: false }) === undefined) makeFolders(dirname(path), mode);
    makeFolder(path, mode);
  }
}

/** One that exists is no error. */
function makeFolder(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
  }
}
