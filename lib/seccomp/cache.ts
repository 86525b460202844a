import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { makeFolders } from '../host/folders.ts';
import { isOurs } from '../host/ownership.ts';
import type { CompiledFilter } from './compile.ts';

/**
 * Compiled filters, kept between containers: libseccomp takes some ten milliseconds for a common profile. A
 * cache that cannot be trusted or used is as good as none: nothing here ever fails.
 */

/** The name of the cache in the state root. No container can have it: `@` is not allowed in an id. */
export const cacheFolder = '@seccomp';

/** Profiles on one host are few; what is over this many is removed, least recently written first. */
const maxEntries = 64;
const maxBytes = 1024 * 1024;
const formatVersion = 1;

/** What a compiled filter depends on besides the profile. */
export interface FilterKey {
  profile: unknown;
  libseccomp: string;
  architecture: string;
  kernel: string;
}

/** The file name for a key: a hash of all a filter depends on, the version of this format included. */
export function cacheName(key: FilterKey): string {
  const exact = (_: string, value: unknown): unknown =>
    typeof value === 'bigint' ? `${value.toString()}n` : value;
  return createHash('sha256')
    .update(JSON.stringify([formatVersion, key], exact))
    .digest('hex');
}

/**
 * The filter stored under `name`, or undefined. Only a regular file of our own that nobody else can write, in a
 * folder of the same kind, is believed, and only when its content matches the hash inside.
 */
export function readCached(folder: string, name: string): CompiledFilter | undefined {
  try {
    if (!isOurs(lstatSync(folder), 'directory')) return undefined;
    const fd = openSync(join(folder, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(fd);
      return isOurs(stat, 'file') && stat.size <= maxBytes
        ? parse(readFileSync(fd, 'utf8'), name)
        : undefined;
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}

/** Stores a filter: written beside and renamed, so that nobody reads half of one. */
export function writeCached(folder: string, name: string, filter: CompiledFilter): void {
  try {
    makeFolders(folder, 0o700);
    if (!isOurs(lstatSync(folder), 'directory')) return;
    const text = serialise(filter, name);
    if (text.length > maxBytes) return;
    const temporary = join(folder, `${name}.${String(process.pid)}`);
    writeFileSync(temporary, text, { mode: 0o600, flag: 'wx' });
    renameSync(temporary, join(folder, name));
    trim(folder);
  } catch {
    // A full or read-only file system: the next container compiles its filter again.
  }
}

function trim(folder: string): void {
  const names = readdirSync(folder);
  if (names.length <= maxEntries) return;
  const aged = names.map((name) => ({
    path: join(folder, name),
    time: statSync(join(folder, name)).mtimeMs,
  }));
  aged.sort((a, b) => b.time - a.time);
  for (const { path } of aged.slice(maxEntries)) unlinkSync(path);
}

/** First line: the hash of the name and the second one; second line: the filter as JSON. */
function serialise(filter: CompiledFilter, name: string): string {
  const body = JSON.stringify({ ...filter, program: Buffer.from(filter.program).toString('base64') });
  return `${checksum(name, body)}\n${body}`;
}

function parse(text: string, name: string): CompiledFilter | undefined {
  const newline = text.indexOf('\n');
  const body = text.slice(newline + 1);
  if (newline < 0 || text.slice(0, newline) !== checksum(name, body)) return undefined;
  const value = JSON.parse(body) as Omit<CompiledFilter, 'program'> & { program: string };
  return { ...value, program: Buffer.from(value.program, 'base64') };
}

/** Over the name too: one valid entry copied over another's name is not that other one. */
function checksum(name: string, body: string): string {
  return createHash('sha256').update(name).update('\0').update(body).digest('hex');
}
