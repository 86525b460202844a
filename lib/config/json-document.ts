import { readFileSync } from 'node:fs';
import { TsrunError } from '../core/error.ts';
import { errnoOf, errnoText } from '../core/errno.ts';
import type { Document } from '../core/source.ts';
import { decodeDocument, maxConfigBytes, parseDocument } from './bundle.ts';

/** A JSON file the caller of a command names. */
export interface JsonDocument extends Document {
  /** What it says; integers a number cannot hold are bigints. */
  value: unknown;
}

/**
 * Reads a JSON file, or stdin for `-`. Unlike a bundle's config it may be a pipe, since the caller made it.
 *
 * @throws TsrunError 'usage' when it cannot be read, 'bundle' with the place of the first error in it.
 */
export function readJsonDocument(path: string): JsonDocument {
  const file = path === '-' ? 'stdin' : path;
  let bytes: Buffer;
  try {
    bytes = readFileSync(path === '-' ? 0 : path);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    throw new TsrunError('usage', `open ${file}: ${errnoText(errno)}`, { errno, cause: error });
  }
  if (bytes.length > maxConfigBytes) {
    throw new TsrunError('usage', `${file}: larger than ${maxConfigBytes / 1024 / 1024} MiB`);
  }
  const text = decodeDocument(bytes, file);
  return { file, text, value: parseDocument(text, file) };
}
