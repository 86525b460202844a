import type { CgroupDriver } from '../../lib/cgroup/record.ts';
import type { ListenRequest } from '../../lib/service/socket-activation.ts';
import { stateRoot, type StateRoot } from '../../lib/state/state-root.ts';
import type { GlobalValues } from './command.ts';
import { type Log, openLog } from './log/logger.ts';

/**
 * What the global flags and the environment ask for.
 */

/**
 * The directory with the state of containers.
 * @throws TsrunError 'usage' when --root is invalid or there is no default
 */
export function rootOf(globals: GlobalValues): StateRoot {
  return stateRoot({
    root: globals.root,
    rootless: globals.rootless,
    uid: process.geteuid?.() ?? 0,
    env: process.env,
  });
}

/** The state root for commands that only read a bundle: a user without a default one gets /run/tsrun. */
export function previewRootOf(globals: GlobalValues): StateRoot {
  try {
    return rootOf(globals);
  } catch (error) {
    if (globals.root !== undefined) throw error;
    return { path: '/run/tsrun', inRuntimeDir: false };
  }
}

/** Opens the log. */
export function logOf(globals: GlobalValues): Log {
  const debug = globals.debug || globals['log-level'] === 'debug';
  return openLog({ file: globals.log, format: globals['log-format'], debug });
}

/** The cgroup driver; undefined for the default. */
export function cgroupDriverOf(globals: GlobalValues): CgroupDriver | undefined {
  if (globals['systemd-cgroup']) return 'systemd';
  const name = globals['cgroup-manager'];
  return name === 'cgroupfs' || name === 'systemd' || name === 'disabled' ? name : undefined;
}

/**
 * Descriptors passed by socket activation (sd_listen_fds(3)). LISTEN_PID must be the pid of tsrun: a service leaves
 * these variables in the environment of all it starts.
 */
export function listenRequest(env: NodeJS.ProcessEnv): ListenRequest {
  const { LISTEN_FDS: count, LISTEN_PID: pid, LISTEN_FDNAMES: names } = env;
  if (pid !== String(process.pid) || count === undefined || !/^\d{1,4}$/.test(count)) return {};
  return { listenFds: Number(count), listenFdNames: names };
}

/** NOTIFY_SOCKET of sd_notify(3); undefined when it is empty. */
export function notifySocket(env: NodeJS.ProcessEnv): string | undefined {
  return env['NOTIFY_SOCKET'] === '' ? undefined : env['NOTIFY_SOCKET'];
}
