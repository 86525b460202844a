import { closeSync, constants, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { hasErrno } from '../core/errno.ts';
import { fileError } from '../core/error.ts';

/**
 * Writes a pid file: the digits alone, without a newline, since callers convert the whole file. It appears
 * complete or not at all: a temporary `.NAME` beside it is renamed.
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

/** Removes a pid file this process has written, when what it stands for has failed after all. */
export function removePidFile(path: string): void {
  removeQuietly(path);
}

const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

function openNew(path: string): number {
  try {
    return openSync(path, flags, 0o666);
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error;
    // A tsrun that was killed has left it.
    unlinkSync(path);
    return openSync(path, flags, 0o666);
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It is gone, or it is in a place where we may not remove it: the failure before is what counts.
  }
}
