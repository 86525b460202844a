import { mkdirSync, rmdirSync } from 'node:fs';
import { posix } from 'node:path';
import { errnoOrRethrow, hasErrno } from '../core/errno.ts';
import { systemError, TsrunError } from '../core/error.ts';
import { cgroupsPathPointer, runWithoutCgroups } from './cgroups-path.ts';
import { processesBelow } from './processes.ts';
import { hasChildren } from './walk.ts';

/**
 * Makes the cgroups with their missing parents, all or none, and returns the new ones. One that exists may have been
 * made by an engine or left by a killed runtime, but must be vacant. `finish` is part of it: when it throws, the
 * cgroups are removed again.
 */
export function createCgroups(
  directories: readonly string[],
  isFrozen: (directory: string) => boolean,
  finish?: () => void,
): Set<string> {
  const made: string[] = [];
  const fresh = new Set<string>();
  try {
    for (const directory of directories) {
      if (makeDirectory(directory, made)) fresh.add(directory);
      else requireVacant(directory, isFrozen);
    }
    finish?.();
  } catch (error) {
    for (const directory of made.reverse()) removeUnused(directory);
    throw error;
  }
  return fresh;
}

/**
 * Requires that a cgroup, which exists, can become a container's: processes and cgroups in it would be paused, killed
 * and removed with the container.
 * @throws TsrunError 'config' with /linux/cgroupsPath
 */
export function requireVacant(directory: string, isFrozen: (directory: string) => boolean): void {
  const pointer = cgroupsPathPointer;
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

/** mkdir -p; false when the directory exists. Adds what it makes to `made`. */
function makeDirectory(directory: string, made: string[]): boolean {
  try {
    return makeWithParents(directory, made);
  } catch (error) {
    const denied = hasErrno(error, 'EACCES', 'EPERM', 'EROFS');
    throw systemError(`create cgroup ${directory}`, errnoOrRethrow(error), {
      pointer: cgroupsPathPointer,
      ...(denied
        ? { hint: `tsrun must be root, or be given a cgroup it may write to. ${runWithoutCgroups}` }
        : {}),
      cause: error,
    });
  }
}

function makeWithParents(directory: string, made: string[]): boolean {
  try {
    mkdirSync(directory, 0o755);
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) return false;
    if (!hasErrno(error, 'ENOENT')) throw error;
    makeWithParents(posix.dirname(directory), made);
    return makeWithParents(directory, made);
  }
  made.push(directory);
  return true;
}

/** A cgroup with processes or children stays. */
function removeUnused(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    errnoOrRethrow(error);
  }
}
