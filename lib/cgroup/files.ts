import { closeSync, constants, openSync, type PathLike, readSync, writeSync } from 'node:fs';
import { hasErrno } from '../core/errno.ts';

/** True for the failure of a call on a cgroup that does not exist, or was removed after its file was opened. */
export function isGone(error: unknown): boolean {
  return hasErrno(error, 'ENOENT', 'ENODEV');
}

/** Opens an existing cgroup file for writing. cgroupfs has no links, so none is followed. */
export function openForWriting(path: PathLike): number {
  return openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW);
}

/** Writes the whole value at once: the kernel takes each write(2) as one command. */
export function writeValue(path: PathLike, value: string): void {
  const fd = openForWriting(path);
  try {
    writeSync(fd, value);
  } finally {
    closeSync(fd);
  }
}

/** The whole text of a cgroup file. */
export function readText(path: PathLike): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const parts: Buffer[] = [];
    for (;;) {
      const part = Buffer.allocUnsafe(4096);
      const length = readSync(fd, part);
      // A cgroup file may return less than was asked for before its end.
      if (length === 0) return Buffer.concat(parts).toString('latin1');
      parts.push(part.subarray(0, length));
    }
  } finally {
    closeSync(fd);
  }
}

/** The text of a file with one value, without its line break. */
export function readValue(path: string): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const text = Buffer.allocUnsafe(4096);
    const length = readSync(fd, text);
    // The kernel gives a page (4096 bytes) at a time. Only a list of thousands of processors is longer.
    if (length === text.length) return readText(path).trim();
    return text.toString('latin1', 0, length).trim();
  } finally {
    closeSync(fd);
  }
}

/** A value that never changes, to wait for. */
const never = new Int32Array(new SharedArrayBuffer(4));

/** Blocks this thread. Only for what the kernel changes without an event to wait for. */
export function sleep(milliseconds: number): void {
  Atomics.wait(never, 0, 0, milliseconds);
}
