import { writeSync } from 'node:fs';

/**
 * Writes to stdout, whole and at once. process.stdout would make a pipe non-blocking, and the descriptor is
 * shared with whoever called tsrun. A reader that has gone away is no error, there is nobody to tell: then
 * it returns false.
 */
export function print(text: string): boolean {
  return writeAll(1, text);
}

/** The same to stderr. */
export function printError(text: string): void {
  writeAll(2, text);
}

function writeAll(fd: number, text: string): boolean {
  let bytes = Buffer.from(text, 'utf8');
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(fd, bytes));
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EAGAIN') continue;
      if (code === 'EPIPE' || code === 'EBADF') return false;
      throw error;
    }
  }
  return true;
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
