import { closeSync, constants, fstatSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileError } from '../errors.ts';
import { flock } from '../host/file.ts';
import { isErrno } from './is-errno.ts';
import type { ContainerFolder } from './store.ts';
import { corrupt, lockFile, notFound } from './store.ts';

/** A held lock; it also goes when the process ends, however it ends. */
export interface Lock {
  release(): void;
}

/**
 * Takes the exclusive lock of a container: whoever changes it holds this, whoever only looks does not. Waits
 * for the holder, unless `wait` is false: then undefined means that there is one. Throws 'not-found' when
 * there is no container, or no longer when the holder is done.
 */
export function lockContainer(folder: ContainerFolder): Lock;
export function lockContainer(folder: ContainerFolder, options: { wait: boolean }): Lock | undefined;
export function lockContainer(folder: ContainerFolder, { wait } = { wait: true }): Lock | undefined {
  const path = join(folder.path, lockFile);
  for (;;) {
    const fd = openLock(path, folder);
    let taken = false;
    try {
      if (!flock(fd, 'exclusive', { wait })) return undefined;
      // The holder before us may have deleted the container, and somebody made a new one of that name.
      taken = isFileAt(fd, path);
    } finally {
      if (!taken) closeSync(fd);
    }
    if (taken) return lockOf(fd);
  }
}

function lockOf(fd: number): Lock {
  let held = true;
  return {
    release: () => {
      if (held) closeSync(fd);
      held = false;
    },
  };
}

function openLock(path: string, folder: ContainerFolder): number {
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENAMETOOLONG')) throw notFound(folder.id);
    if (isErrno(error, 'ENOTDIR')) throw corrupt(folder, 'it is not a directory');
    throw fileError(`lock container ${JSON.stringify(folder.id)} (${path})`, error);
  }
}

function isFileAt(fd: number, path: string): boolean {
  const opened = fstatSync(fd);
  const there = statSync(path, { throwIfNoEntry: false });
  return there?.ino === opened.ino && there.dev === opened.dev;
}
