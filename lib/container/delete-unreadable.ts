import { cgroupManager } from '../cgroup/cgroup-manager.ts';
import { findMarked } from '../cgroup/ownership-mark.ts';
import type { CgroupManager } from '../cgroup/manager.ts';
import { TsrunError } from '../core/error.ts';
import type { Tell } from '../core/finding.ts';
import { readHostFacts } from '../host/facts.ts';
import { sigkill } from '../host/signals.ts';
import type { Config } from '../config/types.ts';
import type { ContainerFolder } from '../state/folder.ts';
import { isOwnerName } from '../state/cgroup-owner-name.ts';
import { hasConfig } from '../state/store.ts';
import { readStoredConfig } from '../state/stored-config.ts';

/** Kills the processes of a container whose record cannot be read: those in cgroups with its mark. */
export function killUnreadable(folder: ContainerFolder): void {
  for (const manager of markedCgroups(folder)) manager.kill(sigkill);
}

/**
 * Kills the processes of a container whose record cannot be read, and removes its cgroups, which have its mark. Warns
 * about what only the record names, which stays. Call it with the lock held.
 *
 * @param broken why the record cannot be read
 * @throws TsrunError 'corrupt' when no cgroup has its mark: its processes may run where tsrun cannot find them
 */
export function destroyUnreadable(folder: ContainerFolder, broken: TsrunError, warn: Tell): void {
  const managers = markedCgroups(folder);
  for (const manager of managers) {
    manager.kill(sigkill);
    manager.remove();
  }
  // Without a config nothing was made: it is written first.
  if (managers.length === 0 && hasConfig(folder)) {
    throw new TsrunError('corrupt', `${broken.reason}; no cgroup is marked as its own: it may still run`, {
      hint: `kill its processes, remove its cgroups, then ${folder.path}`,
      cause: broken,
    });
  }
  warn({ reason: `${broken.reason}; what could be found of it is removed` });
  if (hasConfig(folder)) warnAboutRest(folder, warn);
}

function markedCgroups(folder: ContainerFolder): CgroupManager[] {
  const { cgroup, privileged } = readHostFacts();
  return findMarked(cgroup, privileged, isOwnerName(folder)).map(cgroupManager);
}

function warnAboutRest(folder: ContainerFolder, warn: Tell): void {
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
    return readStoredConfig(folder);
  } catch (error) {
    if (!(error instanceof TsrunError)) throw error;
    warn({ reason: `${error.reason}; its poststop hooks are not run` });
    return { ociVersion: '' };
  }
}
