import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { whyNotOurs } from '../host/ownership.ts';
import type { ContainerFolder } from './folder.ts';
import { withFolder } from './folder.ts';
import { isErrno } from '../core/is-errno.ts';

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;

/** The text of a file of a container's folder, or why there can be none: no FIFO is waited for, no link followed. */
export function readStored(folder: ContainerFolder, name: string): { text: string } | { odd: string } {
  return withFolder(folder, (inside) => {
    let fd: number;
    try {
      fd = openSync(join(inside, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    } catch (error) {
      if (isErrno(error, 'ELOOP')) return { odd: 'it is a symbolic link' };
      // A socket.
      if (isErrno(error, 'ENXIO')) return { odd: 'it is not a regular file' };
      throw error;
    }
    try {
      const odd = whyNotOurs(fstatSync(fd), 'file');
      return odd === undefined ? { text: readFileSync(fd, 'utf8') } : { odd };
    } finally {
      closeSync(fd);
    }
  });
}

/** Writes a file that is not there yet. */
export function writeStored(folder: ContainerFolder, name: string, content: Uint8Array | string): void {
  withFolder(folder, (inside) => {
    writeNew(join(inside, name), content, { sync: false });
  });
}

/**
 * Replaces a file by way of `temporary`: readers see the old one or the new one, never a part, and so does whoever
 * looks after a power cut.
 */
export function replaceStored(
  folder: ContainerFolder,
  name: string,
  temporary: string,
  content: string,
): void {
  withFolder(folder, (inside) => {
    const path = join(inside, temporary);
    // A tsrun that was killed has left it.
    removeIfThere(path);
    // Without this, some filesystems rename a file before they have its content.
    writeNew(path, content, { sync: true });
    renameSync(path, join(inside, name));
  });
}

/** Fine when it is gone. */
export function removeStored(folder: ContainerFolder, name: string): void {
  withFolder(folder, (inside) => {
    removeIfThere(join(inside, name));
  });
}

function writeNew(path: string, content: Uint8Array | string, { sync }: { sync: boolean }): void {
  const fd = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    writeFileSync(fd, content);
    if (sync) fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}
