import type { CriuFlags } from '../../../lib/checkpoint/criu-options.ts';
import type { CreateRequest } from '../../../lib/container/create-request.ts';
import { TsrunError } from '../../../lib/core/error.ts';
import type { Flag, Flags, FlagValues, GlobalValues, Positional } from '../command.ts';
import { cgroupDriverOf, listenRequest, notifySocket, rootOf } from '../context.ts';
import type { Sink } from '../../../lib/core/finding.ts';

/**
 * Flags and arguments that several commands share, and what they ask the library for.
 */

export const containerId = {
  name: 'container-id',
  help: 'the id of the container',
} as const satisfies Positional;

export const newContainerId = {
  name: 'container-id',
  help: 'the id of the new container: letters, digits and _ + . -',
} as const satisfies Positional;

export const bundleFlag = {
  kind: 'string',
  short: 'b',
  value: 'DIR',
  help: 'the bundle (default: the working directory)',
} as const satisfies Flag;

/** Commands that only read a bundle take it as an argument, too. */
export const bundleArgument = {
  // Not `bundle`: help would take it and the flag for one.
  name: 'bundle-dir',
  help: 'the bundle, as with --bundle',
  optional: true,
} as const satisfies Positional;

/** The flag of commands that print for people (`usual`) or JSON; `json` is a clause about the JSON. */
export function formatFlag(usual: 'table' | 'text', json = ''): Flag & { kind: 'string' } {
  return {
    kind: 'string',
    short: 'f',
    value: 'FORMAT',
    choices: [usual, 'json'],
    help: json === '' ? `${usual} (default) or json` : `${usual} (default), or json, ${json}`,
  };
}

/** The flags of `create`, `run` and `exec`. */
export const processFlags = {
  'pid-file': { kind: 'string', value: 'FILE', help: 'write the pid of the process to FILE' },
  'console-socket': {
    kind: 'string',
    value: 'PATH',
    help: 'unix socket that receives the master side of the terminal',
  },
  'pidfd-socket': { kind: 'string', value: 'PATH', help: 'unix socket that receives a pidfd of the process' },
  'preserve-fds': { kind: 'integer', value: 'N', help: 'pass N file descriptors, from 3 on, to the process' },
} as const satisfies Flags;

/** The flags of `create` and `run`. */
export const createFlags = {
  bundle: bundleFlag,
  ...processFlags,
  'no-pivot': { kind: 'boolean', help: 'do not use pivot_root (for a rootfs on the initial ramfs)' },
  'no-new-keyring': { kind: 'boolean', help: "do not create a session keyring; keep the caller's" },
} as const satisfies Flags;

/** What the flags of `create` and `run` ask the library for. */
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

/**
 * The value of --preserve-fds, checked.
 * @throws TsrunError 'usage' for a negative number
 */
export function preserveFds(count: number | undefined): number | undefined {
  if (count === undefined || count >= 0) return count;
  throw new TsrunError('usage', `--preserve-fds is a number of descriptors, not ${String(count)}`);
}

/** The flags that `checkpoint` and `restore` share; `verb` is what the command does, for help. */
export const criuFlags = (verb: 'save' | 'restore') =>
  ({
    'image-path': {
      kind: 'string',
      value: 'DIR',
      help: 'directory of the image files (default ./checkpoint)',
    },
    'work-path': {
      kind: 'string',
      value: 'DIR',
      help: "directory of criu's log and work files (default: that of the images)",
    },
    'tcp-established': { kind: 'boolean', help: `${verb} established TCP connections` },
    'ext-unix-sk': {
      kind: 'boolean',
      help: 'allow unix sockets that are connected to a process outside of the container',
    },
    'shell-job': { kind: 'boolean', help: 'allow processes that use the terminal tsrun runs on' },
    'file-locks': { kind: 'boolean', help: `${verb} file locks` },
    'manage-cgroups-mode': {
      kind: 'string',
      value: 'MODE',
      help: 'how criu restores cgroups: soft (default), full, strict or ignore',
    },
    'empty-ns': {
      kind: 'strings',
      value: 'NAMESPACE',
      help: `do not ${verb} the contents of this namespace (network)`,
    },
    'auto-dedup': {
      kind: 'boolean',
      help: 'remove memory pages from the images once they are no longer needed',
    },
    'lazy-pages': {
      kind: 'boolean',
      help: `${verb} memory only when a restored process accesses it (userfaultfd)`,
    },
  }) as const satisfies Flags;

/** What the flags of `checkpoint` and `restore` ask the library for. */
export function criuRequest(flags: FlagValues<ReturnType<typeof criuFlags>>): CriuFlags {
  return {
    imagePath: flags['image-path'],
    workPath: flags['work-path'],
    tcpEstablished: flags['tcp-established'],
    extUnixSk: flags['ext-unix-sk'],
    shellJob: flags['shell-job'],
    fileLocks: flags['file-locks'],
    manageCgroupsMode: flags['manage-cgroups-mode'],
    emptyNs: flags['empty-ns'],
    autoDedup: flags['auto-dedup'],
    lazyPages: flags['lazy-pages'],
  };
}
