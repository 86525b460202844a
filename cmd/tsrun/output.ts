import { writeSync } from 'node:fs';
import { hasErrno } from '../../lib/core/errno.ts';
import { fileError } from '../../lib/core/error.ts';

/**
 * Writes to stdout, whole and at once. process.stdout would make a pipe non-blocking, and the descriptor is
 * shared with whoever called tsrun. A reader that has gone away is no error, there is nobody to tell: then
 * it returns false. Throws 'system' for what else goes wrong, such as a full disk.
 */
export function print(text: string): boolean {
  try {
    writeAll(1, text);
    return true;
  } catch (error) {
    if (hasErrno(error, 'EPIPE', 'EBADF')) return false;
    throw fileError('write to stdout', error);
  }
}

/** The same to stderr. That it could not be written can be told to nobody. */
export function printError(text: string): void {
  try {
    writeAll(2, text);
  } catch {
    // The exit status says it.
  }
}

/** Writes the whole text, also to a pipe that is full and does not block. */
export function writeAll(fd: number, text: string): void {
  let bytes = Buffer.from(text, 'utf8');
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(fd, bytes));
    } catch (error) {
      if (!hasErrno(error, 'EAGAIN')) throw error;
    }
  }
}

/** Rows under a header; columns are three apart and at least twelve wide, unless told, as runc prints `list`. */
export function table(header: readonly string[], rows: readonly (readonly string[])[], least = 12): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) =>
    all.reduce((width, row) => Math.max(width, (row[column] ?? '').length + 3), least),
  );
  return all
    .map(
      (row) =>
        row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('')
          .trimEnd() + '\n',
    )
    .join('');
}
