import type { CriuFlags } from '../../../lib/checkpoint/criu-options.ts';
import type { Flags, FlagValues } from '../command.ts';

/** The flags checkpoint and restore share. */
export const criuFlags = {
  'image-path': { kind: 'string', value: 'DIR', help: 'the folder of the images (default ./checkpoint)' },
  'work-path': {
    kind: 'string',
    value: 'DIR',
    help: "the folder of criu's log (default: that of the images)",
  },
  'tcp-established': { kind: 'boolean', help: 'keep open TCP connections' },
  'ext-unix-sk': { kind: 'boolean', help: 'keep unix sockets that are connected to the host' },
  'shell-job': { kind: 'boolean', help: 'the container uses the terminal tsrun runs on' },
  'file-locks': { kind: 'boolean', help: 'keep file locks' },
  'manage-cgroups-mode': {
    kind: 'string',
    value: 'MODE',
    help: 'what criu does about cgroups: soft (default), full, strict or ignore',
  },
  'empty-ns': { kind: 'strings', value: 'NAMESPACE', help: 'leave this namespace empty (network)' },
  'auto-dedup': { kind: 'boolean', help: 'drop pages from the images when they are saved or restored twice' },
  'lazy-pages': { kind: 'boolean', help: 'restore memory when it is asked for (userfaultfd)' },
} as const satisfies Flags;

/** What the library is asked for, by these flags. */
export function criuRequest(flags: FlagValues<typeof criuFlags>): CriuFlags {
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
