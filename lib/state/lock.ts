import { closeSync, constants, fstatSync, lstatSync, openSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno } from '../core/errno.ts';
import { nativeError } from '../core/error.ts';
import { flock } from '../native/file.ts';
import { whyNotOwn } from '../host/file-ownership.ts';
import { type Container, findContainer, findFolder } from './find-container.ts';
import { type ContainerFolder, untrusted, withFolder } from './folder.ts';
import type { StateRoot } from './state-root.ts';
import { lockFile, refuseForeignFiles } from './store.ts';

/** A held lock. The kernel releases it, too, when the process ends. */
export interface Lock {
  release(): void;
  /** Releases the lock and removes its file if lockContainer() made it: for a folder without a container. */
  abandon(): void;
}

/**
 * Takes the exclusive lock of a container (flock(2)). Commands that change a container hold it; those that read its
 * state, or send a signal, do not. Waits for the holder, unless `wait` is false: then a lock that is held gives
 * undefined.
 *
 * @throws TsrunError 'not-found' without a container, also when its holder has deleted it; 'untrusted' when others
 * could write its folder
 */
export function lockContainer(folder: ContainerFolder): Lock;
export function lockContainer(folder: ContainerFolder, options: { wait: boolean }): Lock | undefined;
export function lockContainer(folder: ContainerFolder, { wait } = { wait: true }): Lock | undefined {
  for (;;) {
    const { fd, made } = openLock(folder);
    let taken = false;
    try {
      if (!flock(fd, { wait })) return undefined;
      // The holder may have deleted the container, and another one may have its name now.
      taken = isLockOf(fd, folder);
    } catch (error) {
      if (made) removeLock(fd, folder);
      throw lockError(folder, error);
    } finally {
      if (!taken) closeSync(fd);
    }
    if (taken) return lockOf(fd, folder, made);
  }
}

/**
 * Finds a container with its lock held; releases the lock when `use` returns or throws.
 *
 * @throws TsrunError as lockContainer() and findContainer() do
 */
export function withLockedContainer<T>(root: StateRoot, id: string, use: (container: Container) => T): T {
  const lock = lockContainer(findFolder(root, id));
  try {
    return use(findContainer(root, id));
  } finally {
    lock.release();
  }
}

function lockError({ id, path }: ContainerFolder, error: unknown): unknown {
  return nativeError(`lock container ${JSON.stringify(id)} (${join(path, lockFile)})`, error);
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
      if (held && made) removeLock(fd, folder);
      release();
    },
  };
}

const flags = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK;

function openLock(folder: ContainerFolder): { fd: number; made: boolean } {
  for (;;) {
    const found = openUnlessRaced(folder, flags);
    if (found !== undefined) return { fd: found, made: false };
    refuseForeignFiles(folder);
    const made = openUnlessRaced(folder, flags | constants.O_CREAT | constants.O_EXCL);
    if (made !== undefined) return { fd: made, made: true };
  }
}

/** Undefined when the file does not exist or, with O_EXCL, does. */
function openUnlessRaced(folder: ContainerFolder, openFlags: number): number | undefined {
  return withFolder(folder, (inside) => {
    let fd: number;
    try {
      fd = openSync(join(inside, lockFile), openFlags, 0o600);
    } catch (error) {
      if (hasErrno(error, 'ENOENT', 'EEXIST')) return undefined;
      throw lockError(folder, error);
    }
    try {
      const why = whyNotOwn(fstatSync(fd), 'file');
      if (why !== undefined) throw untrusted(folder, `its lock cannot be ours: ${why}`);
    } catch (error) {
      if ((openFlags & constants.O_CREAT) !== 0) removeLock(fd, folder);
      closeSync(fd);
      throw lockError(folder, error);
    }
    return fd;
  });
}

/** Removes the lock file that tsrun has just made as `fd`, unless another one is seen to have its name by now. */
function removeLock(fd: number, folder: ContainerFolder): void {
  try {
    if (isReplaced(fd, folder)) return;
    withFolder(folder, (inside) => {
      unlinkSync(join(inside, lockFile));
    });
  } catch {
    // The caller reports the failure that came first.
  }
}

function isReplaced(fd: number, folder: ContainerFolder): boolean {
  try {
    return !isLockOf(fd, folder);
  } catch {
    return false;
  }
}

function isLockOf(fd: number, folder: ContainerFolder): boolean {
  const opened = fstatSync(fd);
  return withFolder(folder, (inside) => {
    const present = lstatSync(join(inside, lockFile), { throwIfNoEntry: false });
    return present?.ino === opened.ino && present.dev === opened.dev;
  });
}
