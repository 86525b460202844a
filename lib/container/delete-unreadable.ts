import { cgroupManager } from '../cgroup/manager.ts';
import { findMarked } from '../cgroup/mark.ts';
import type { CgroupManager } from '../cgroup/types.ts';
import { TsrunError } from '../core/error.ts';
import type { Tell } from '../core/finding.ts';
import { readHostFacts } from '../host/facts.ts';
import { parseDocument } from '../config/bundle.ts';
import type { Config } from '../config/types.ts';
import type { ContainerFolder } from '../state/folder.ts';
import { isOwnerName } from '../state/cgroup-owner-name.ts';
import { hasConfig, storedConfig } from '../state/store.ts';

const sigkill = 9;

/** Kills what can be found of a container whose record cannot be read. */
export function killMarked(folder: ContainerFolder): void {
  for (const manager of markedCgroups(folder)) manager.kill(sigkill);
}

/**
 * Ends and removes what can be found of a container whose record cannot be read, all but the folder: its cgroups, by
 * their marks, and all processes in them. What only the record has named is told to `warn`. Call it with the lock held.
 * @throws `broken`, and why nothing is removed, when a process may run that nobody can find
 */
export function salvage(folder: ContainerFolder, broken: TsrunError, warn: Tell): void {
  const managers = markedCgroups(folder);
  for (const manager of managers) {
    manager.kill(sigkill);
    manager.remove();
  }
  // The config is kept before anything else is made.
  if (managers.length === 0 && hasConfig(folder)) {
    throw new TsrunError('corrupt', `${broken.reason}; no cgroup is marked as its own: it may still run`, {
      hint: `end its processes, remove its cgroups, then ${folder.path}`,
      cause: broken,
    });
  }
  warn({ reason: `${broken.reason}; what could be found of it is removed` });
  if (hasConfig(folder)) warnOfRest(folder, warn);
}

function markedCgroups(folder: ContainerFolder): CgroupManager[] {
  const { cgroup, privileged } = readHostFacts();
  return findMarked(cgroup, privileged, isOwnerName(folder)).map(cgroupManager);
}

function warnOfRest(folder: ContainerFolder, warn: Tell): void {
  const { hooks, linux } = configOf(folder, warn);
  if ((hooks?.poststop ?? []).length > 0) {
    warn({ reason: `the poststop hooks of container ${folder.id} are not run: its bundle is not known` });
  }
  if (linux?.intelRdt !== undefined) {
    warn({ reason: `groups of container ${folder.id} may be left in the resctrl filesystem` });
  }
}

function configOf(folder: ContainerFolder, warn: Tell): Config {
  try {
    const { text, file } = storedConfig(folder);
    return parseDocument(text, file) as Config;
  } catch (error) {
    if (!(error instanceof TsrunError)) throw error;
    warn({ reason: `${error.reason}; its poststop hooks are not run` });
    return { ociVersion: '' };
  }
}
