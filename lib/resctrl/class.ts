/**
 * A container's class of service and its monitoring group in resctrl (config-linux.md, "IntelRdt"; kernel
 * documentation, filesystems/resctrl).
 */
import { rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno } from '../core/errno.ts';
import { fileError, TsrunError } from '../core/error.ts';
import { pathExists } from '../host/filesystem.ts';
import { pointerTo } from '../core/pointer.ts';
import type { IntelRdt } from '../config/types.ts';
import { makeGroup, readGroupFile, writeGroupFile } from './files.ts';
import { hasSchema, linesOf, resourceOf } from './schemata.ts';

const at = '/linux/intelRdt';

/** The directories of a container in resctrl. */
export interface ResctrlRecord {
  /** The directory of its class. */
  directory: string;
  /** The class is only for this container, and is removed with it. */
  ownsClass: boolean;
  /** The directory of its monitoring group. */
  monitor?: string;
}

/** Decides the directories of a container; makes nothing. `root` is where resctrl is mounted. */
export function planClass(
  root: string,
  { closID = '', enableMonitoring }: IntelRdt,
  id: string,
): ResctrlRecord {
  const directory = closID === '/' ? root : join(root, closID === '' ? id : closID);
  return {
    directory,
    ownsClass: closID === '' && !pathExists(directory),
    ...(enableMonitoring === true ? { monitor: join(directory, 'mon_groups', id) } : {}),
  };
}

/**
 * Makes the directories of `record`, writes the schemata of the config, and moves process `pid` into them.
 * @throws TsrunError 'system' with what the kernel said, 'config' for a class that is missing or has other schemata
 */
export function joinClass(root: string, intelRdt: IntelRdt, record: ResctrlRecord, pid: number): void {
  const { directory, monitor } = record;
  const { closID = '' } = intelRdt;
  const lines = schemataOf(intelRdt);
  const isNew = !pathExists(directory);
  if (!isNew) checkSame(directory, intelRdt);
  else if (closID !== '' && lines.length === 0) throw missing(directory);
  else makeGroup(root, directory, `${at}/closID`);
  try {
    for (const { line, pointer } of lines) {
      writeGroupFile(root, join(directory, 'schemata'), `${line}\n`, pointer);
    }
  } catch (error) {
    // A named class that stayed would have other schemata than the config asks for.
    if (isNew) removeGroup(directory);
    throw error;
  }
  writeGroupFile(root, join(directory, 'tasks'), String(pid), at);
  if (monitor === undefined) return;
  makeGroup(root, monitor, `${at}/enableMonitoring`);
  writeGroupFile(root, join(monitor, 'tasks'), String(pid), `${at}/enableMonitoring`);
}

/**
 * Changes the schemata of a class, which exists: all of them or none. Returns a function that restores the former ones.
 * @throws TsrunError 'system' with what the kernel said
 */
export function changeClass(root: string, directory: string, intelRdt: IntelRdt): () => void {
  const path = join(directory, 'schemata');
  const before: Line[] = [];
  const undo = (): void => {
    for (const { line, pointer } of before.toReversed()) writeGroupFile(root, path, `${line}\n`, pointer);
  };
  try {
    for (const { line, pointer } of schemataOf(intelRdt)) {
      const present = linesOf(readGroupFile(path, pointer)).find(
        (other) => resourceOf(other) === resourceOf(line),
      );
      writeGroupFile(root, path, `${line}\n`, pointer);
      if (present !== undefined) before.push({ line: present, pointer });
    }
  } catch (error) {
    undo();
    throw error;
  }
  return undo;
}

/** Removes the container's own directories; the kernel moves its processes to the parent. May be repeated. */
export function leaveClass({ directory, ownsClass, monitor }: ResctrlRecord): void {
  for (const path of [...(monitor === undefined ? [] : [monitor]), ...(ownsClass ? [directory] : [])]) {
    removeGroup(path);
  }
}

function removeGroup(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw fileError(`remove ${path}`, error);
  }
}

interface Line {
  line: string;
  pointer: string;
}

/** In the order of the specification: for each resource the last line counts. */
function schemataOf({ l3CacheSchema = '', memBwSchema = '', schemata = [] }: IntelRdt): Line[] {
  return [
    { line: l3CacheSchema, pointer: `${at}/l3CacheSchema` },
    { line: memBwSchema, pointer: `${at}/memBwSchema` },
    ...schemata.map((line, index) => ({ line, pointer: pointerTo(at, 'schemata', index) })),
  ].filter(({ line }) => line !== '');
}

/** Other processes use a class that exists: the config must ask for the same schemata. */
function checkSame(directory: string, { l3CacheSchema, memBwSchema }: IntelRdt): void {
  const wanted = schemataOf({
    ...(l3CacheSchema === undefined ? {} : { l3CacheSchema }),
    ...(memBwSchema === undefined ? {} : { memBwSchema }),
  });
  if (wanted.length === 0) return;
  const path = join(directory, 'schemata');
  const present = readGroupFile(path, at);
  for (const { line, pointer } of wanted) {
    if (hasSchema(present, line)) continue;
    throw new TsrunError('config', `the class ${directory} exists with other schemata`, {
      pointer,
      hint: `${path} has ${linesOf(present).join(', ')}`,
    });
  }
}

function missing(directory: string): TsrunError {
  return new TsrunError('config', `the class ${directory} does not exist`, {
    pointer: `${at}/closID`,
    hint: 'make it first, or give its schemata in the config',
  });
}
