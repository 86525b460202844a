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

/** What of resctrl belongs to a container. */
export interface ResctrlRecord {
  /** The directory of its class. */
  directory: string;
  /** The class was made for it alone, and goes with it. */
  ownsClass: boolean;
  /** The directory of its monitoring group. */
  monitor?: string;
}

/** What a container gets, decided before anything is made. `root` is where resctrl is mounted. */
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
 * Makes what `record` names, gives it the schemata of the config, and puts process `pid` into it.
 * @throws TsrunError 'system' with what the kernel said, or 'config' for a class that is missing or another one
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
    // A named class would stay otherwise, with other schemata than the next try asks for.
    if (isNew) removeGroup(directory);
    throw error;
  }
  writeGroupFile(root, join(directory, 'tasks'), String(pid), at);
  if (monitor === undefined) return;
  makeGroup(root, monitor, `${at}/enableMonitoring`);
  writeGroupFile(root, join(monitor, 'tasks'), String(pid), `${at}/enableMonitoring`);
}

/**
 * Gives the class `directory`, which exists, other schemata: all of them or, when the kernel refuses one, none.
 * Returns what gives it back those it had.
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

/** Removes what is the container's own; its processes fall back to the class above. May be repeated. */
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

/** In the order of the specification: what is written last counts. */
function schemataOf({ l3CacheSchema = '', memBwSchema = '', schemata = [] }: IntelRdt): Line[] {
  return [
    { line: l3CacheSchema, pointer: `${at}/l3CacheSchema` },
    { line: memBwSchema, pointer: `${at}/memBwSchema` },
    ...schemata.map((line, index) => ({ line, pointer: pointerTo(at, 'schemata', index) })),
  ].filter(({ line }) => line !== '');
}

/** A class that is there serves others: the config must not ask for another one of that name. */
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
