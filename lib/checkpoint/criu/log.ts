import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { TsrunError } from '../../core/error.ts';
import { printable, shorten } from '../../core/printable.ts';
import type { CriuResponse } from './rpc.ts';

const shownLines = 4;
const lineLength = 300;
/** More than criu writes after its first error. */
const tailBytes = 1024 * 1024;

/** The last errors in the text of a log of criu's, oldest first, as it words them; made safe to print. Pure. */
export function lastErrors(text: string): string[] {
  return text
    .split('\n')
    .map((line) => /\bError (\(.*)$/.exec(line)?.[1])
    .filter((line) => line !== undefined)
    .slice(-shownLines)
    .map((line) => shorten(printable(line), lineLength));
}

/** What to throw after criu has refused: with its own last errors, and where its whole log is. */
export function criuFailure(
  what: string,
  directory: string,
  name: string,
  answer?: CriuResponse,
): TsrunError {
  const file = join(directory, name);
  const errors = lastErrors(readTail(file));
  const { cr_errmsg: message = '', cr_errno: errno } = answer ?? {};
  if (errors.length === 0 && message !== '') errors.push(shorten(printable(message.trim()), lineLength));
  if (errors.length === 0) errors.push(errno === undefined ? 'no reason given' : `errno ${errno}`);
  return new TsrunError('system', `criu failed to ${what}: ${errors.join('; ')}; its log is ${file}`);
}

function readTail(file: string): string {
  try {
    const fd = openSync(file, 'r');
    try {
      const { size } = fstatSync(fd);
      const buffer = Buffer.alloc(Math.min(size, tailBytes));
      const length = readSync(fd, buffer, 0, buffer.length, size - buffer.length);
      return buffer.toString('utf8', 0, length);
    } finally {
      closeSync(fd);
    }
  } catch {
    // It may have failed before it could make a log.
    return '';
  }
}
