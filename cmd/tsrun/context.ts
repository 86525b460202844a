import type { CgroupDriver } from '../../lib/cgroup/types.ts';
import { stateRoot } from '../../lib/state/state-root.ts';
import type { StateRoot } from '../../lib/state/state-root.ts';
import { openLog } from './log/logger.ts';
import type { Log } from './log/logger.ts';
import type { GlobalValues } from './command.ts';

/** The folder in which containers are kept, by the global flags. */
export function rootOf(globals: GlobalValues): StateRoot {
  return stateRoot({
    root: globals.root,
    rootless: globals.rootless,
    uid: process.geteuid?.() ?? 0,
    env: process.env,
  });
}

/** The same for what makes nothing there: somebody who has no such folder yet may look at a bundle, too. */
export function previewRootOf(globals: GlobalValues): StateRoot {
  try {
    return rootOf(globals);
  } catch (error) {
    if (globals.root !== undefined) throw error;
    return { path: '/run/tsrun', inRuntimeDir: false };
  }
}

/** The log the global flags ask for. Its file is opened at once. */
export function logOf(globals: GlobalValues): Log {
  const debug = globals.debug || globals['log-level'] === 'debug';
  return openLog({ file: globals.log, format: globals['log-format'], debug });
}

/** Who manages cgroups; undefined for the default. */
export function cgroupDriverOf(globals: GlobalValues): CgroupDriver | undefined {
  if (globals['systemd-cgroup']) return 'systemd';
  const name = globals['cgroup-manager'];
  return name === 'cgroupfs' || name === 'systemd' || name === 'disabled' ? name : undefined;
}
