import { closeSync, constants, fstatSync, lstatSync, openSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileError } from '../core/error.ts';
import { flock } from '../native/file.ts';
import { whyNotOurs } from '../host/ownership.ts';
import { isErrno } from '../core/is-errno.ts';
import type { ContainerFolder } from './folder.ts';
import { untrusted, withFolder } from './folder.ts';
import { lockFile, requireOwnNames } from './store.ts';

/** A held lock; it also goes when the process ends, however it ends. */
export interface Lock {
  release(): void;
  /** The same, and the lock is gone as well if it was made to be taken: there is nothing it could guard. */
  abandon(): void;
}

/**
 * Takes the exclusive lock of a container: whoever changes it holds this, whoever only looks does not. Waits
 * for the holder, unless `wait` is false: then undefined means that there is one. Throws 'not-found' when
 * there is no container, or no longer when the holder is done.
 */
export function lockContainer(folder: ContainerFolder): Lock;
export function lockContainer(folder: ContainerFolder, options: { wait: boolean }): Lock | undefined;
export function lockContainer(folder: ContainerFolder, { wait } = { wait: true }): Lock | undefined {
  for (;;) {
    const { fd, made } = openLock(folder);
    let taken = false;
    try {
      if (!flock(fd, { wait })) return undefined;
      // The holder before us may have deleted the container, and somebody made a new one of that name.
      taken = isLockOf(fd, folder);
    } catch (error) {
      // Nobody is to find a lock where there never was a container.
      if (made) unmakeLock(folder);
      throw withName(folder, error);
    } finally {
      if (!taken) closeSync(fd);
    }
    if (taken) return lockOf(fd, folder, made);
  }
}

function withName({ id, path }: ContainerFolder, error: unknown): unknown {
  return fileError(`lock container ${JSON.stringify(id)} (${join(path, lockFile)})`, error);
}

function lockOf(fd: number, folder: ContainerFolder, made: boolean): Lock {
  let held = true;
  const release = (): void => {
    if (held) closeSync(fd);
    held = false;
  };
  return {
    release,
    abandon: () => {
      if (held && made) unmakeLock(folder);
      release();
    },
  };
}

const flags = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK;

function openLock(folder: ContainerFolder): { fd: number; made: boolean } {
  const found = tryOpen(folder, flags);
  if (found !== undefined) return { fd: found, made: false };
  requireOwnNames(folder);
  const made = tryOpen(folder, flags | constants.O_CREAT | constants.O_EXCL);
  // Somebody else was faster.
  return made === undefined ? openLock(folder) : { fd: made, made: true };
}

/** Undefined when it is there though it should not be, or the other way round. */
function tryOpen(folder: ContainerFolder, openFlags: number): number | undefined {
  return withFolder(folder, (inside) => {
    let fd: number;
    try {
      fd = openSync(join(inside, lockFile), openFlags, 0o600);
    } catch (error) {
      if (isErrno(error, 'ENOENT') || isErrno(error, 'EEXIST')) return undefined;
      throw withName(folder, error);
    }
    try {
      const why = whyNotOurs(fstatSync(fd), 'file');
      if (why !== undefined) throw untrusted(folder, `its lock cannot be ours: ${why}`);
    } catch (error) {
      closeSync(fd);
      if ((openFlags & constants.O_CREAT) !== 0) unmakeLock(folder);
      throw withName(folder, error);
    }
    return fd;
  });
}

/** Whoever else has it open keeps trying until there is a lock that stays. */
function unmakeLock(folder: ContainerFolder): void {
  try {
    withFolder(folder, (inside) => {
      unlinkSync(join(inside, lockFile));
    });
  } catch {
    // The failure before is what counts.
  }
}

function isLockOf(fd: number, folder: ContainerFolder): boolean {
  const opened = fstatSync(fd);
  return withFolder(folder, (inside) => {
    const there = lstatSync(join(inside, lockFile), { throwIfNoEntry: false });
    return there?.ino === opened.ino && there.dev === opened.dev;
  });
}
