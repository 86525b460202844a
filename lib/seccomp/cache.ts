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
import { makeFolders } from '../host/filesystem.ts';
import { isOwn } from '../host/file-ownership.ts';
import type { CompiledFilter } from './compile.ts';

/**
 * Compiled filters, kept between containers: libseccomp takes some ten milliseconds for a common profile. A cache that
 * cannot be read, written or trusted is treated as empty: nothing here fails.
 */

/** The folder of the cache in the state root. No container has this name: ids do not begin with `@`. */
export const cacheFolder = '@seccomp';

/** One host has few profiles. Above this number the entries written longest ago are removed. */
const maxEntries = 64;
const maxBytes = 1024 * 1024;
const formatVersion = 2;

/** All that a compiled filter depends on. */
export interface FilterKey {
  profile: unknown;
  libseccomp: string;
  architecture: string;
  kernel: string;
}

/** A key as text, one line: two keys have the same text only when they are the same. */
export function keyText(key: FilterKey): string {
  const exact = (_: string, value: unknown): unknown =>
    typeof value === 'bigint' ? `${value.toString()}n` : value;
  return JSON.stringify([formatVersion, key], exact);
}

/**
 * The file name of the entry for a key. Two keys may have the same: the entry holds its key, and is used for no other.
 */
export function entryName(key: string): string {
  return hash(key);
}

/**
 * The filter stored for a key, or undefined. An entry must be a regular file of this user that nobody else can write,
 * in such a folder, and have the key and its checksum.
 */
export function readCached(folder: string, key: string): CompiledFilter | undefined {
  try {
    if (!isOwn(lstatSync(folder), 'directory')) return undefined;
    const fd = openSync(
      join(folder, entryName(key)),
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
    try {
      const stat = fstatSync(fd);
      return isOwn(stat, 'file') && stat.size <= maxBytes ? parse(readFileSync(fd, 'utf8'), key) : undefined;
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}

/** Stores a filter for a key. The file is renamed when it is complete, so that nobody reads half of it. */
export function writeCached(folder: string, key: string, filter: CompiledFilter): void {
  try {
    makeFolders(folder, 0o700);
    if (!isOwn(lstatSync(folder), 'directory')) return;
    const text = serialise(filter, key);
    if (Buffer.byteLength(text) > maxBytes) return;
    const path = join(folder, entryName(key));
    const temporary = `${path}.${String(process.pid)}`;
    writeFileSync(temporary, text, { mode: 0o600, flag: 'wx' });
    renameSync(temporary, path);
    trim(folder);
  } catch {
    // On a full or read-only file system the next container compiles its filter again.
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

/** Three lines: the checksum of the other two; the key; the filter as JSON. */
function serialise(filter: CompiledFilter, key: string): string {
  const program = Buffer.from(filter.program).toString('base64');
  const body = `${key}\n${JSON.stringify({ ...filter, program })}`;
  return `${hash(body)}\n${body}`;
}

function parse(text: string, key: string): CompiledFilter | undefined {
  const start = text.indexOf('\n') + 1;
  const body = text.slice(start);
  if (text.slice(0, start) !== `${hash(body)}\n` || !body.startsWith(`${key}\n`)) return undefined;
  const value = JSON.parse(body.slice(key.length + 1)) as Omit<CompiledFilter, 'program'> & {
    program: string;
  };
  return { ...value, program: Buffer.from(value.program, 'base64') };
}

/**
 * FNV-1a of 32 bits, twice with different constants. It finds damaged files and makes file names; nothing here relies
 * on it against an attacker, who could not write the file. node:crypto would be slow to load.
 */
function hash(text: string): string {
  let [a, b] = [0x811c9dc5, 0x2f0b4c47];
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit, 0x5bd1e995);
  }
  return [a, b].map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join('');
}
