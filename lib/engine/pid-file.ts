import { closeSync, constants, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { hasErrno } from '../core/errno.ts';
import { fileError } from '../core/error.ts';

/**
 * Writes a pid file: the digits without a newline, since callers convert the whole file to a number. The file is
 * written as `.NAME` beside it and renamed, so that nobody reads a part of it.
 */
export function writePidFile(path: string, pid: number): void {
  const temporary = join(dirname(path), `.${basename(path)}`);
  let made = false;
  try {
    const fd = openNew(temporary);
    made = true;
    try {
      writeSync(fd, String(pid));
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    if (made) removeQuietly(temporary);
    throw fileError(`write the pid file ${path}`, error);
  }
}

/** Removes a pid file that this process has written, after a failure. */
export function removePidFile(path: string): void {
  removeQuietly(path);
}

const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

function openNew(path: string): number {
  try {
    return openSync(path, flags, 0o666);
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error;
    // A killed tsrun has left it.
    unlinkSync(path);
    return openSync(path, flags, 0o666);
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // The failure before this one is reported.
  }
}
