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
import { hasErrno } from '../core/errno.ts';
import { pathExists } from '../host/filesystem.ts';
import { whyNotOwn } from '../host/file-ownership.ts';
import { type ContainerFolder, withFolder } from './folder.ts';

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;

/**
 * The text of a file in a container's folder, or why tsrun cannot have written that file. Follows no link and waits
 * for no FIFO.
 *
 * @throws an error of node:fs when it cannot be read, ENOENT when it does not exist
 */
export function readStored(folder: ContainerFolder, name: string): { text: string } | { notOurs: string } {
  return withFolder(folder, (inside) => {
    let fd: number;
    try {
      fd = openSync(join(inside, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    } catch (error) {
      if (hasErrno(error, 'ELOOP')) return { notOurs: 'it is a symbolic link' };
      // open(2) of a socket.
      if (hasErrno(error, 'ENXIO')) return { notOurs: 'it is not a regular file' };
      throw error;
    }
    try {
      const notOurs = whyNotOwn(fstatSync(fd), 'file');
      return notOurs === undefined ? { text: readFileSync(fd, 'utf8') } : { notOurs };
    } finally {
      closeSync(fd);
    }
  });
}

/** True when the folder holds something of this name, be it a link that leads nowhere. */
export function hasStored(folder: ContainerFolder, name: string): boolean {
  return withFolder(folder, (inside) => pathExists(join(inside, name)));
}

/** Writes a new file. */
export function writeStored(folder: ContainerFolder, name: string, content: Uint8Array | string): void {
  withFolder(folder, (inside) => {
    writeNew(join(inside, name), content, { sync: false });
  });
}

/**
 * Replaces a file by renaming `temporary`: readers see the old content or the new one, never a part of it, also after
 * a power cut.
 */
export function replaceStored(
  folder: ContainerFolder,
  name: string,
  temporary: string,
  content: string,
): void {
  withFolder(folder, (inside) => {
    const path = join(inside, temporary);
    // A killed tsrun may have left it.
    removeIfThere(path);
    // Without fsync(2) some filesystems store the new name before the content.
    writeNew(path, content, { sync: true });
    renameSync(path, join(inside, name));
  });
}

/** Removes a file, if it exists. */
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
    if (!hasErrno(error, 'ENOENT')) throw error;
  }
}
