import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { TsrunError } from '../../core/error.ts';
import { printable, shorten } from '../../core/message-text.ts';
import type { CriuResponse } from './rpc.ts';

const shownLines = 4;
const lineLength = 300;
/** In bytes; criu writes less after its first error. */
const tailBytes = 1024 * 1024;

/** The last errors in the text of a criu log, oldest first and safe to print. Pure. */
export function lastErrors(text: string): string[] {
  return text
    .split('\n')
    .map((line) => /\bError (\(.*)$/.exec(line)?.[1])
    .filter((line) => line !== undefined)
    .slice(-shownLines)
    .map((line) => shorten(printable(line), lineLength));
}

/**
 * The error for a refusal of criu, with the last errors of its log and the log's path.
 *
 * @param what what criu was asked to do: `checkpoint container c1`
 */
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
    // criu may have failed before it made a log.
    return '';
  }
}
