import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { constants as os } from 'node:os';
import { systemError, TsrunError } from '../core/error.ts';

/** The positive errno of an error node:fs threw; anything else is a bug and goes on its way. */
export function errnoOf(error: unknown): number {
  if (error instanceof Error && 'errno' in error && typeof error.errno === 'number')
    return Math.abs(error.errno);
  throw error;
}

/** The error of a failed node:fs call, in words. */
export function ioError(what: string, error: unknown): TsrunError {
  return error instanceof TsrunError ? error : systemError(what, errnoOf(error), { cause: error });
}

/**
 * True when a call of node:fs failed with one of these (`ENOENT`). Compared by number: of two names that are one,
 * EOPNOTSUPP and ENOTSUP, it is the other one that node:fs knows.
 */
export function failedWith(error: unknown, ...names: (keyof typeof os.errno)[]): boolean {
  if (!(error instanceof Error) || error instanceof TsrunError || !('errno' in error)) return false;
  const { errno } = error;
  return typeof errno === 'number' && names.some((name) => os.errno[name] === Math.abs(errno));
}

/** True for what a read says of a cgroup that is not there, or that is removed while it is read. */
export function isGone(error: unknown): boolean {
  return failedWith(error, 'ENOENT', 'ENODEV');
}

/** Opens an existing cgroup file for writing; there are no links in cgroupfs, so none is followed. */
export function openForWriting(path: string): number {
  return openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW);
}

/** One write(2) of the whole value: the kernel takes each as one command. */
export function writeValue(path: string, value: string): void {
  const fd = openForWriting(path);
  try {
    writeSync(fd, value);
  } finally {
    closeSync(fd);
  }
}

/** The whole text of a cgroup file. */
export function readText(path: string): string {
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

/** The text of a file with one value, without its line break. The kernel gives it in one piece. */
export function readValue(path: string): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const text = Buffer.allocUnsafe(4096);
    const length = readSync(fd, text);
    // A page at a time; a value as long as that is a list of thousands of processors.
    if (length === text.length) return readText(path).trim();
    return text.toString('latin1', 0, length).trim();
  } finally {
    closeSync(fd);
  }
}

const never = new Int32Array(new SharedArrayBuffer(4));

/** Stops this thread. Only for states the kernel changes without telling anybody. */
export function sleep(milliseconds: number): void {
  Atomics.wait(never, 0, 0, milliseconds);
}
