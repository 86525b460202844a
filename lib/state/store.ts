import { existsSync, mkdirSync, readdirSync, rmSync, rmdirSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { hasErrno } from '../core/errno.ts';
import { TsrunError, fileError } from '../core/error.ts';
import { pathExists } from '../host/filesystem.ts';
import type { Document } from '../core/source.ts';
import { type ContainerFolder, notFound, untrusted, withFolder, withRoot } from './folder.ts';
import { type ContainerRecord, newerVersion, parseRecord, recordVersion } from './record.ts';
import { hasStored, readStored, replaceStored, writeStored } from './store-files.ts';

const stateFile = 'state.json';
const temporaryFile = 'state.json.new';
const configFile = 'config.json';
export const startSocketFile = 'start.sock';
export const lockFile = 'lock';
/** Kept for `start` (start-ops.ts). */
export const startOpsFile = 'start-ops.json';
/** Mounted into the container, which reports there that it is ready (lib/service/sd-notify.ts). */
export const notifyFolderName = 'notify';
/** Where `restore` mounts the rootfs for criu. */
export const criuRootName = 'criu-root';

/** Names that a container's folder can hold. */
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

/** Makes the folder in an existing state root; false when there was one. */
export function makeFolder({ id, path }: ContainerFolder): boolean {
  try {
    withRoot(dirname(path), id, (inside) => {
      mkdirSync(join(inside, id), { mode: 0o700 });
    });
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) return false;
    throw fileError(`make the folder of the container ${path}`, error);
  }
  return true;
}

/**
 * True when the folder holds a container, also one that is broken. Apart from the lock, the record is the first file
 * of a container and the last one to be removed. A config without a record is a container that has lost it.
 */
export function containerExists(folder: ContainerFolder): boolean {
  return withFolder(folder, (inside) =>
    [stateFile, configFile].some((name) => pathExists(join(inside, name))),
  );
}

/**
 * Refuses a folder that holds files of other programs: it is not a container's.
 *
 * @throws TsrunError 'untrusted'
 */
export function refuseForeignFiles(folder: ContainerFolder): void {
  const foreign = withFolder(folder, (inside) => readdirSync(inside).filter((name) => !ownNames.has(name)));
  const [first] = foreign;
  if (first !== undefined) throw untrusted(folder, `it holds ${JSON.stringify(first)}`);
}

/** Replaces the record: readers see the old one or the new one, never a part of it. Call it with the lock held. */
export function writeRecord(folder: ContainerFolder, record: ContainerRecord): void {
  try {
    replaceStored(folder, stateFile, temporaryFile, JSON.stringify(record));
  } catch (error) {
    throw fileError(`write the state of the container in ${folder.path}`, error);
  }
}

/**
 * Reads the record.
 *
 * @throws TsrunError 'not-found' without the container; 'corrupt' when its record cannot be understood; 'unsupported'
 * when a newer tsrun has written it; 'untrusted' when others could write the folder
 */
export function readRecord(folder: ContainerFolder): ContainerRecord {
  const text = readRecordText(folder);
  const record = parseRecord(text);
  if (record === undefined) {
    const version = newerVersion(text);
    throw version === undefined
      ? corrupt(folder, 'its state.json is not a record')
      : writtenByNewer(folder.id, version);
  }
  if (record.id !== folder.id)
    throw corrupt(folder, `its state.json is that of ${JSON.stringify(record.id)}`);
  return record;
}

function readRecordText(folder: ContainerFolder): string {
  try {
    const found = readStored(folder, stateFile);
    if ('text' in found) return found.text;
    throw corrupt(folder, `its state.json cannot be a record: ${found.notOurs}`);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) {
      throw fileError(`read the state of container ${JSON.stringify(folder.id)}`, error);
    }
  }
  throw containerExists(folder) ? corrupt(folder, 'its state.json is missing') : notFound(folder.id);
}

/**
 * The config.json that the container was created with; the bundle's may have changed since.
 *
 * @throws TsrunError 'corrupt' or 'system' when it cannot be read
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
    throw new TsrunError('corrupt', `${what}, ${file}: ${found.notOurs}`);
  } catch (error) {
    throw fileError(what, error);
  }
}

/** Writes the config of a container that is being created. */
export function writeConfig(folder: ContainerFolder, config: Uint8Array | string): void {
  try {
    writeStored(folder, configFile, config);
  } catch (error) {
    throw fileError(`write the config of the container in ${folder.path}`, error);
  }
}

/** False when the config was lost, or `create` has not written it yet. */
export function hasConfig(folder: ContainerFolder): boolean {
  return hasStored(folder, configFile);
}

/** Ids of all containers, also broken ones, sorted. Empty without a state root. */
export function listIds(root: string): string[] {
  try {
    return withRoot(root, '', (inside) =>
      readdirSync(inside, { withFileTypes: true })
        // Other folders of tsrun begin with an @ (lib/seccomp/cache.ts), which no id does.
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
 * Removes the folder, if it exists. Call it with the lock held. A `delete` that is killed on the way can be repeated:
 * the record is removed after all other files, and the lock last. Once the lock is gone the id is free, and what is in the
 * folder then belongs to the next container of this id.
 */
export function removeFolder(folder: ContainerFolder): void {
  try {
    withFolder(folder, removeFiles);
    removeDirectory(folder);
  } catch (error) {
    if (error instanceof TsrunError && error.code === 'not-found') return;
    if (hasErrno(error, 'ENOENT', 'ENOTEMPTY')) return;
    throw fileError(`remove the folder of the container ${folder.path}`, error);
  }
}

function removeFiles(inside: string): void {
  for (const entry of readdirSync(inside, { withFileTypes: true })) {
    const path = join(inside, entry.name);
    if (entry.isDirectory()) rmSync(path, { recursive: true });
    else if (entry.name !== stateFile && entry.name !== lockFile) unlinkSync(path);
  }
  for (const name of [stateFile, lockFile]) {
    if (pathExists(join(inside, name))) unlinkSync(join(inside, name));
  }
}

function removeDirectory({ id, path }: ContainerFolder): void {
  withRoot(dirname(path), id, (inside) => {
    rmdirSync(join(inside, id));
  });
}

/** Removes a folder that is empty. Anything else at its path belongs to another container. */
export function removeEmptyFolder(folder: ContainerFolder): void {
  try {
    removeDirectory(folder);
  } catch {
    // Not empty, or not a folder.
  }
}

/** The error for a container whose files cannot be understood. */
function corrupt(folder: ContainerFolder, why: string): TsrunError {
  const what = `the folder ${folder.path} of container ${JSON.stringify(folder.id)} is broken: ${why}`;
  return new TsrunError('corrupt', what, {
    hint: `tsrun delete --force ${folder.id} kills its processes and removes what it can find`,
  });
}

function writtenByNewer(id: string, version: number): TsrunError {
  const what = `the record of container ${JSON.stringify(id)} was written by a newer tsrun`;
  return new TsrunError('unsupported', `${what} (version ${version}, this one knows ${recordVersion})`, {
    hint: 'use the tsrun that created the container',
  });
}
