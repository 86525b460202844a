import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  rmdirSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { TsrunError, fileError } from '../errors.ts';
import type { ConfigSource } from '../spec/at.ts';
import { isErrno } from './is-errno.ts';
import type { ContainerRecord } from './record.ts';
import { parseRecord } from './record.ts';

/** The folder of one container: `<root>/<id>/`. The id has been validated, so it is one plain file name. */
export interface ContainerFolder {
  id: string;
  path: string;
}

const stateFile = 'state.json';
const temporaryFile = 'state.json.new';
const configFile = 'config.json';
export const startSocketFile = 'start.sock';
export const lockFile = 'lock';
/** Kept for `start` (start-ops.ts). */
export const startOpsFile = 'start-ops.json';

/** Names the folder of a container; `id` must have passed validateContainerId. */
export function containerFolder(root: string, id: string): ContainerFolder {
  return { id, path: join(root, id) };
}

/** Makes the folder; one that is there already is fine. */
export function makeFolder(folder: ContainerFolder): void {
  try {
    mkdirSync(folder.path, { mode: 0o700 });
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return;
    throw fileError(`make the folder of the container ${folder.path}`, error);
  }
}

/** True when there is a record, good or bad: before it is written and after it is removed nothing else exists. */
export function hasRecord(folder: ContainerFolder): boolean {
  return existsSync(join(folder.path, stateFile));
}

/** Replaces the record: readers see the old one or the new one, never a part. Call it with the lock held. */
export function writeRecord(folder: ContainerFolder, record: ContainerRecord): void {
  const temporary = join(folder.path, temporaryFile);
  try {
    writeFileSync(temporary, JSON.stringify(record), { mode: 0o600 });
    renameSync(temporary, join(folder.path, stateFile));
  } catch (error) {
    throw fileError(`write the state of the container in ${folder.path}`, error);
  }
}

/**
 * Reads the record. Throws 'not-found' when there is no such container and 'corrupt' when its folder cannot
 * be understood; `delete --force` removes such a folder.
 */
export function readRecord(folder: ContainerFolder): ContainerRecord {
  let text: string;
  try {
    text = readFileSync(join(folder.path, stateFile), 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENAMETOOLONG')) throw notFound(folder.id);
    if (isErrno(error, 'ENOTDIR')) throw corrupt(folder, 'it is not a directory');
    if (isErrno(error, 'EISDIR')) throw corrupt(folder, 'its state.json is a directory');
    throw fileError(`read the state of container ${JSON.stringify(folder.id)}`, error);
  }
  const record = parseRecord(text);
  if (record === undefined) throw corrupt(folder, 'its state.json is not one');
  if (record.id !== folder.id)
    throw corrupt(folder, `its state.json is that of ${JSON.stringify(record.id)}`);
  return record;
}

/**
 * The container's config.json as it was when it was created; the bundle's may have changed since. It is read
 * when its text is first asked for.
 */
export function storedConfig(folder: ContainerFolder): ConfigSource {
  const file = join(folder.path, configFile);
  let text: string | undefined;
  return {
    file,
    get text() {
      text ??= readConfig(file, folder);
      return text;
    },
  };
}

function readConfig(file: string, folder: ContainerFolder): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw fileError(`read the config of container ${JSON.stringify(folder.id)}`, error);
  }
}

export function writeConfig(folder: ContainerFolder, config: Uint8Array | string): void {
  try {
    writeFileSync(join(folder.path, configFile), config, { mode: 0o600 });
  } catch (error) {
    throw fileError(`keep the config of the container in ${folder.path}`, error);
  }
}

/** Ids of all containers, broken ones too, sorted; empty when nothing was ever created here. */
export function listIds(root: string): string[] {
  try {
    return (
      readdirSync(root, { withFileTypes: true })
        // No id begins with an @: that is how folders of tsrun's own are called (lib/seccomp/cache.ts).
        .filter((entry) => entry.isDirectory() && !entry.name.startsWith('@'))
        .map((entry) => entry.name)
        .filter((id) => hasRecord(containerFolder(root, id)))
        .sort()
    );
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
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
    for (const entry of readdirSync(folder.path, { withFileTypes: true })) {
      const path = join(folder.path, entry.name);
      if (entry.isDirectory()) rmSync(path, { recursive: true });
      else if (entry.name !== stateFile && entry.name !== lockFile) unlinkSync(path);
    }
    for (const name of [stateFile, lockFile]) {
      if (existsSync(join(folder.path, name))) unlinkSync(join(folder.path, name));
    }
    rmdirSync(folder.path);
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTEMPTY')) return;
    throw fileError(`remove the folder of the container ${folder.path}`, error);
  }
}

/** Removes a folder that was made in vain, unless somebody else has put something into it. */
export function removeEmptyFolder(folder: ContainerFolder): void {
  try {
    rmdirSync(folder.path);
  } catch {
    // It is in use, or not even a folder: somebody else's.
  }
}

/** Removes what lies where the folder should be and is none. */
export function removeFile(folder: ContainerFolder): void {
  try {
    unlinkSync(folder.path);
  } catch (error) {
    throw fileError(`remove ${folder.path}`, error);
  }
}

export function notFound(id: string): TsrunError {
  return new TsrunError('not-found', `container ${JSON.stringify(id)} does not exist`);
}

export function corrupt(folder: ContainerFolder, why: string): TsrunError {
  return new TsrunError(
    'corrupt',
    `the folder ${folder.path} of container ${JSON.stringify(folder.id)} is broken: ${why}`,
    {
      hint: `tsrun delete --force ${folder.id} removes it`,
    },
  );
}
