import { closeSync, constants, fstatSync, openSync, readSync, realpathSync, type Stats } from 'node:fs';
import { basename, resolve } from 'node:path';
import { TsrunError } from '../core/error.ts';
import { errnoOf, errnoText, hasErrno } from '../core/errno.ts';
import { parseJson } from './json/parse.ts';
import { JsonSyntaxError } from './json/read.ts';
import { positionAt } from './json/locate.ts';
import type { Document, Position } from '../core/source.ts';
import type { Config } from './types.ts';

/** The largest config.json that is read, in bytes. */
export const maxConfigBytes = 16 * 1024 * 1024;

/** O_CLOEXEC, which node:fs sets but does not name. */
const closeOnExec = 0o2000000;

/** A bundle; as a document it is its config.json, as it was read, under its absolute path. */
export interface Bundle extends Document {
  /** Absolute, links resolved. */
  directory: string;
  /** What the text says. Its type is true only after validateConfig. */
  config: Config;
}

/**
 * Reads the bundle's config (config.md). Nothing in the folder is trusted: a FIFO, a device, or a
 * file that is too large or nested too deeply is an error, never a hang or a crash. Integers that a number cannot hold
 * are bigints.
 *
 * @param directory the bundle, relative to the working directory unless absolute.
 * @param configFile the config, relative to the bundle unless absolute.
 * @throws TsrunError 'bundle'.
 */
export function readBundle(directory: string, configFile = 'config.json'): Bundle {
  const real = realDirectory(directory);
  const file = resolve(real, configFile);
  const text = decodeDocument(readRegular(file, real), file);
  return { directory: real, file, text, config: parseDocument(text, file) as Config };
}

function realDirectory(directory: string): string {
  try {
    return realpathSync.native(directory);
  } catch (error) {
    throw unreadable(`bundle ${directory}`, error);
  }
}

function readRegular(file: string, bundle: string): Buffer {
  let fd: number;
  try {
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | closeOnExec;
    fd = openSync(file, flags);
  } catch (error) {
    if (hasErrno(error, 'ENXIO')) throw notRegular(file, 'a socket or a device');
    throw unreadable(
      `bundle ${bundle}: open ${basename(file)}`,
      error,
      hasErrno(error, 'ENOENT')
        ? 'name the bundle by --bundle; `tsrun spec` writes a config.json to start from'
        : undefined,
    );
  }
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) throw notRegular(file, kindOf(stats));
    return readAll(fd, file, stats.size);
  } catch (error) {
    throw unreadable(`bundle ${bundle}: read ${basename(file)}`, error);
  } finally {
    closeSync(fd);
  }
}

function readAll(fd: number, file: string, size: number): Buffer {
  const tooLarge = (): TsrunError =>
    new TsrunError('bundle', `${file}: larger than ${maxConfigBytes / 1024 / 1024} MiB`);
  if (size > maxConfigBytes) throw tooLarge();
  // One byte more shows the end of the file, or that it has grown since.
  let buffer = Buffer.allocUnsafe(size + 1);
  let length = 0;
  for (;;) {
    const read = readSync(fd, buffer, length, buffer.length - length, null);
    if (read === 0) return buffer.subarray(0, length);
    length += read;
    if (length > maxConfigBytes) throw tooLarge();
    if (length === buffer.length) buffer = Buffer.concat([buffer], Math.min(2 * length, maxConfigBytes + 1));
  }
}

/** The text of a JSON file; it must be UTF-8. */
export function decodeDocument(bytes: Buffer, file: string): string {
  try {
    // A byte order mark is left out, as RFC 8259 allows.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const hint = 'Save the file as UTF-8.';
    throw notADocument(file, { line: invalidLine(bytes), column: 1 }, 'not valid UTF-8', hint);
  }
}

/** The first line that is not UTF-8, from 1. No byte of a longer character is a line feed. */
function invalidLine(bytes: Buffer): number {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for (let line = 1, start = 0; ; line++) {
    const end = bytes.indexOf(0x0a, start);
    try {
      decoder.decode(bytes.subarray(start, end === -1 ? undefined : end));
    } catch {
      return line;
    }
    if (end === -1) return line;
    start = end + 1;
  }
}

/** What a JSON file says; integers a number cannot hold are bigints. Throws 'bundle' with the place of an error. */
export function parseDocument(text: string, file: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    const position = positionAt(text, error.offset);
    throw notADocument(file, position, `not valid JSON: ${error.message}${excerpt(text, error.offset)}`);
  }
}

function notADocument(file: string, position: Position, reason: string, hint?: string): TsrunError {
  return new TsrunError('bundle', reason, { source: { file, position }, hint });
}

/** The text around an error, of its own line only. */
function excerpt(text: string, offset: number): string {
  const start = Math.max(text.lastIndexOf('\n', offset - 1) + 1, offset - 30);
  const lineEnd = text.indexOf('\n', offset);
  const end = Math.min(lineEnd === -1 ? text.length : lineEnd, offset + 30);
  const line = text.slice(start, end).trim();
  return line === '' ? '' : `, near ${line}`;
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a FIFO';
  return 'a device';
}

function notRegular(file: string, kind: string): TsrunError {
  return new TsrunError('bundle', `${file}: must be a regular file, not ${kind}`);
}

function unreadable(what: string, error: unknown, hint?: string): unknown {
  const errno = errnoOf(error);
  if (errno === undefined || error instanceof TsrunError) return error;
  return new TsrunError('bundle', `${what}: ${errnoText(errno)}`, { errno, cause: error, hint });
}
