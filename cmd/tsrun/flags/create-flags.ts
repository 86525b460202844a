import type { ListenRequest } from '../../../lib/service/socket-activation.ts';
import type { CreateRequest } from '../../../lib/container/create-request.ts';
import type { Sink } from '../../../lib/core/finding.ts';
import { TsrunError } from '../../../lib/core/error.ts';
import { bundleFlag } from './bundle-flag.ts';
import type { Flags, FlagValues, GlobalValues, Positional } from '../command.ts';
import { cgroupDriverOf, rootOf } from '../context.ts';

/** The flags create and run share. */
export const createFlags = {
  bundle: bundleFlag,
  'pid-file': { kind: 'string', value: 'FILE', help: "write the pid of the container's process to FILE" },
  'console-socket': { kind: 'string', value: 'PATH', help: "unix socket that gets the terminal's master" },
  'pidfd-socket': {
    kind: 'string',
    value: 'PATH',
    help: "unix socket that gets a pidfd of the container's process",
  },
  'preserve-fds': { kind: 'integer', value: 'N', help: 'pass N descriptors from 3 on to the container' },
  'no-pivot': { kind: 'boolean', help: 'enter the rootfs without pivot_root (for one on the initial ramfs)' },
  'no-new-keyring': { kind: 'boolean', help: "keep the caller's session keyring" },
} as const satisfies Flags;

export const newContainerId = {
  name: 'container-id',
  help: 'the name of the new container: letters, digits and _ + . -',
} as const satisfies Positional;

/** What the library is asked for, by the command line. */
export function createRequest(
  id: string,
  flags: FlagValues<typeof createFlags>,
  globals: GlobalValues,
  log: Sink,
): CreateRequest {
  return {
    id,
    bundle: flags.bundle ?? '.',
    root: rootOf(globals),
    log,
    cgroupDriver: cgroupDriverOf(globals),
    pidFile: flags['pid-file'],
    consoleSocket: flags['console-socket'],
    pidfdSocket: flags['pidfd-socket'],
    preserveFds: preserveFds(flags['preserve-fds']),
    ...listenRequest(process.env),
    notifySocket: notifySocket(process.env),
    noPivot: flags['no-pivot'],
    noNewKeyring: flags['no-new-keyring'],
  };
}

/** The value of --preserve-fds, checked. */
export function preserveFds(count: number | undefined): number | undefined {
  if (count === undefined || count >= 0) return count;
  throw new TsrunError('usage', `--preserve-fds is a number of descriptors, not ${String(count)}`);
}

/**
 * LISTEN_FDS of sd_listen_fds(3): meant for us only when LISTEN_PID is our pid. A service leaves both to all it
 * starts, and there they say nothing.
 */
export function listenRequest(env: NodeJS.ProcessEnv): ListenRequest {
  const { LISTEN_FDS: count, LISTEN_PID: pid, LISTEN_FDNAMES: names } = env;
  if (pid !== String(process.pid) || count === undefined || !/^\d{1,4}$/.test(count)) return {};
  return { listenFds: Number(count), listenFdNames: names };
}

/** NOTIFY_SOCKET of sd_notify(3); empty counts as none. */
export function notifySocket(env: NodeJS.ProcessEnv): string | undefined {
  const path = env['NOTIFY_SOCKET'];
  return path === '' ? undefined : path;
}
