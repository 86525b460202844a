/** What the managers of both cgroup versions share. */
import { accessSync } from 'node:fs';
import { TsrunError } from '../core/error.ts';
import { Directories } from './create.ts';
import { ioError, isGone } from './files.ts';
import { hasChildren, processesBelow } from './walk.ts';

/** Pausing a container whose tasks wait for a disk may take long; killing it does not need all of them stopped. */
export const freezePatienceMs = 5000;
export const killPatienceMs = 100;

export const sigkill = 9;

/**
 * Makes the directories with their parents, all or none; returns the ones that are new. One that exists
 * already may be what an engine prepared or what a killed runtime left, but nobody may be using it.
 * `finish` belongs to it: when it fails, the directories go again.
 */
export function createAll(
  directories: readonly string[],
  isFrozen: (directory: string) => boolean,
  finish?: () => void,
): Set<string> {
  const made = new Directories();
  const fresh = new Set<string>();
  try {
    for (const directory of directories) {
      if (made.make(directory)) fresh.add(directory);
      else requireVacant(directory, isFrozen);
    }
    finish?.();
  } catch (error) {
    made.undo();
    throw error;
  }
  return fresh;
}

/**
 * Throws when a cgroup that exists cannot be a container's. Processes in it belong to somebody who would be paused
 * and killed with this container.
 */
export function requireVacant(directory: string, isFrozen: (directory: string) => boolean): void {
  const pointer = '/linux/cgroupsPath';
  const pids = processesBelow(directory);
  if (pids.length > 0) {
    const found = `${String(pids.length)} process(es) found: ${pids.join(', ')}`;
    throw new TsrunError('config', `container's cgroup ${directory} is not empty: ${found}`, {
      pointer,
      hint: 'Give each container a cgroupsPath of its own.',
    });
  }
  if (hasChildren(directory)) {
    throw new TsrunError('config', `container's cgroup ${directory} has cgroups in it`, {
      pointer,
      hint: 'They would be removed with the container; give it a cgroupsPath of its own.',
    });
  }
  if (isFrozen(directory)) {
    throw new TsrunError('config', `container's cgroup ${directory} is unexpectedly frozen`, {
      pointer,
      hint: 'Thaw it, or use another cgroupsPath.',
    });
  }
}

/** Throws when tsrun is among the processes it is about to stop: that would never end. */
export function requireOutside(processes: readonly number[]): void {
  if (!processes.includes(process.pid)) return;
  throw new TsrunError('state', 'tsrun itself runs in the cgroup of this container', {
    hint: 'Run it from another cgroup: see /proc/self/cgroup.',
  });
}

/** The error for an operation on a cgroup that has been removed. */
export function goneError(directory: string): TsrunError {
  return new TsrunError('not-found', `cgroup ${directory} does not exist`);
}

/** The error for a container that does not come to a stop. */
export function freezeError(directory: string, pids: readonly number[]): TsrunError {
  return new TsrunError('system', `freeze ${directory}: not all of its processes stop: ${pids.join(', ')}`, {
    hint: 'One of them may be waiting for a device or a network filesystem; try again.',
  });
}

export function isThere(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch (error) {
    if (isGone(error)) return false;
    throw ioError(`look at ${path}`, error);
  }
}
