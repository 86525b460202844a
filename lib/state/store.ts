import { existsSync, mkdirSync, readdirSync, rmSync, rmdirSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TsrunError, fileError } from '../core/error.ts';
import { isThere } from '../host/is-there.ts';
import type { Document } from '../core/source.ts';
import type { ContainerFolder } from './folder.ts';
import { notFound, untrusted, withFolder, withRoot } from './folder.ts';
import { isErrno } from '../core/is-errno.ts';
import type { ContainerRecord } from './record.ts';
import { newerVersion, parseRecord, recordVersion } from './record.ts';
import { readStored, replaceStored, writeStored } from './store-files.ts';

const stateFile = 'state.json';
const temporaryFile = 'state.json.new';
const configFile = 'config.json';
export const startSocketFile = 'start.sock';
export const lockFile = 'lock';
/** Kept for `start` (start-ops.ts). */
export const startOpsFile = 'start-ops.json';
/** What the container sees of it, to say that it is ready (notify.ts). */
export const notifyFolderName = 'notify';
/** Where `restore` mounts the rootfs for criu. */
export const criuRootName = 'criu-root';

/** All that a container's folder can hold. */
const ownNames: ReadonlySet<string> = new Set([
  stateFile,
  temporaryFile,
  configFile,
  startSocketFile,
  lockFile,
  startOpsFile,
  notifyFolderName,
  criuRootName,
]);

/** Makes the folder; false when there was one. The root exists. */
export function makeFolder({ id, path }: ContainerFolder): boolean {
  try {
    withRoot(dirname(path), id, (inside) => {
      mkdirSync(join(inside, id), { mode: 0o700 });
    });
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw fileError(`make the folder of the container ${path}`, error);
  }
  return true;
}

/**
 * True when there is a container, good or bad: its record is written before everything else but the lock, and removed
 * after everything else.
 */
export function isTaken(folder: ContainerFolder): boolean {
  return withFolder(folder, isTakenAt);
}

function isTakenAt(inside: string): boolean {
  // One without the other is a container that has lost its record.
  return [stateFile, configFile].some((name) => isThere(join(inside, name)));
}

/**
 * Throws 'untrusted' when the folder holds what no tsrun has put there: then it is none of a container, whoever
 * has led us to it.
 */
export function requireOwnNames(folder: ContainerFolder): void {
  const foreign = withFolder(folder, (inside) => readdirSync(inside).filter((name) => !ownNames.has(name)));
  const [first] = foreign;
  if (first !== undefined) throw untrusted(folder, `it holds ${JSON.stringify(first)}`);
}

/** Replaces the record: readers see the old one or the new one, never a part. Call it with the lock held. */
export function writeRecord(folder: ContainerFolder, record: ContainerRecord): void {
  try {
    replaceStored(folder, stateFile, temporaryFile, JSON.stringify(record));
  } catch (error) {
    throw fileError(`write the state of the container in ${folder.path}`, error);
  }
}

/**
 * Reads the record. Throws 'not-found' when there is no such container, 'corrupt' when its record cannot be
 * understood, and 'unsupported' when it was written by a newer tsrun.
 */
export function readRecord(folder: ContainerFolder): ContainerRecord {
  const text = readRecordText(folder);
  const record = parseRecord(text);
  if (record === undefined) {
    const version = newerVersion(text);
    throw version === undefined ? corrupt(folder, 'its state.json is not one') : newer(folder.id, version);
  }
  if (record.id !== folder.id)
    throw corrupt(folder, `its state.json is that of ${JSON.stringify(record.id)}`);
  return record;
}

function readRecordText(folder: ContainerFolder): string {
  try {
    const found = readStored(folder, stateFile);
    if ('text' in found) return found.text;
    throw corrupt(folder, `its state.json cannot be one: ${found.odd}`);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) {
      throw fileError(`read the state of container ${JSON.stringify(folder.id)}`, error);
    }
  }
  throw isTaken(folder) ? corrupt(folder, 'its state.json is missing') : notFound(folder.id);
}

/**
 * The container's config.json as it was when it was created; the bundle's may have changed since.
 *
 * @throws TsrunError 'system' or 'corrupt' when it cannot be read.
 */
export function storedConfig(folder: ContainerFolder): Document {
  const file = join(folder.path, configFile);
  return { file, text: readConfig(file, folder) };
}

function readConfig(file: string, folder: ContainerFolder): string {
  const what = `read the config of container ${JSON.stringify(folder.id)}`;
  try {
    const found = readStored(folder, configFile);
    if ('text' in found) return found.text;
    throw new TsrunError('corrupt', `${what}, ${file}: ${found.odd}`);
  } catch (error) {
    throw fileError(what, error);
  }
}

/** Keeps the config of a container that is being created. */
export function writeConfig(folder: ContainerFolder, config: Uint8Array | string): void {
  try {
    writeStored(folder, configFile, config);
  } catch (error) {
    throw fileError(`keep the config of the container in ${folder.path}`, error);
  }
}

/** False: it was lost, or `create` has not come so far. */
export function hasConfig(folder: ContainerFolder): boolean {
  return withFolder(folder, (inside) => isThere(join(inside, configFile)));
}

/** Ids of all containers, broken ones too, sorted; empty when nothing was ever created here. */
export function listIds(root: string): string[] {
  try {
    return withRoot(root, '', (inside) =>
      readdirSync(inside, { withFileTypes: true })
        // No id begins with an @: that is how folders of tsrun's own are called (lib/seccomp/cache.ts).
        .filter((entry) => entry.isDirectory() && !entry.name.startsWith('@'))
        .map((entry) => entry.name)
        .filter((id) => [stateFile, configFile].some((name) => existsSync(join(inside, id, name))))
        .sort(),
    );
  } catch (error) {
    if (error instanceof TsrunError && error.code === 'not-found') return [];
    throw fileError(`list the containers in ${root}`, error);
  }
}

/**
 * Removes the folder; call it with the lock held. A delete that is killed half-way can be repeated: the record
 * goes after everything else, and the lock last. Then the id is free, and a folder that is not empty any more
 * is the next owner's. Fine when it is gone already.
 */
export function removeFolder(folder: ContainerFolder): void {
  try {
    withFolder(folder, empty);
    removeDirectory(folder);
  } catch (error) {
    if (error instanceof TsrunError && error.code === 'not-found') return;
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTEMPTY')) return;
    throw fileError(`remove the folder of the container ${folder.path}`, error);
  }
}

function empty(inside: string): void {
  for (const entry of readdirSync(inside, { withFileTypes: true })) {
    const path = join(inside, entry.name);
    if (entry.isDirectory()) rmSync(path, { recursive: true });
    else if (entry.name !== stateFile && entry.name !== lockFile) unlinkSync(path);
  }
  for (const name of [stateFile, lockFile]) {
    if (isThere(join(inside, name))) unlinkSync(join(inside, name));
  }
}

function removeDirectory({ id, path }: ContainerFolder): void {
  withRoot(dirname(path), id, (inside) => {
    rmdirSync(join(inside, id));
  });
}

/** Removes a folder that was made in vain, unless somebody else has put something into it. */
export function removeEmptyFolder(folder: ContainerFolder): void {
  try {
    removeDirectory(folder);
  } catch {
    // It is in use, or not even a folder: somebody else's.
  }
}

export function corrupt(folder: ContainerFolder, why: string): TsrunError {
  const what = `the folder ${folder.path} of container ${JSON.stringify(folder.id)} is broken: ${why}`;
  return new TsrunError('corrupt', what, {
    hint: `tsrun delete --force ${folder.id} ends and removes what it can find of it`,
  });
}

function newer(id: string, version: number): TsrunError {
  const what = `the record of container ${JSON.stringify(id)} was written by a newer tsrun`;
  return new TsrunError('unsupported', `${what} (version ${version}, this one knows ${recordVersion})`, {
    hint: 'use the tsrun that has made the container',
  });
}
