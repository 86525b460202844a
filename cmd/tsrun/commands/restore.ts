import { restore } from '../../../lib/checkpoint/restore.ts';
import { defineCommand } from '../command.ts';
import { logOf } from '../context.ts';
import { createFlags, createRequest, criuFlags, criuRequest, newContainerId } from '../flags/flags.ts';

export const command = defineCommand({
  flags: {
    bundle: createFlags.bundle,
    'pid-file': createFlags['pid-file'],
    'console-socket': createFlags['console-socket'],
    'no-pivot': { kind: 'boolean', help: 'has no effect; accepted for compatibility' },
    ...criuFlags('restore'),
    detach: { kind: 'boolean', short: 'd', help: 'do not wait for the container to end' },
    'no-subreaper': { kind: 'boolean', help: 'do not adopt orphaned processes of the container' },
    'tcp-close': { kind: 'boolean', help: 'close TCP connections that were established' },
    'lsm-profile': {
      kind: 'string',
      value: 'TYPE:NAME',
      help: 'use this AppArmor or SELinux profile instead of the saved one',
    },
    'lsm-mount-context': {
      kind: 'string',
      value: 'CONTEXT',
      help: 'use this LSM context for mounts instead of the saved one',
    },
  },
  positionals: [newContainerId],
  examples: ['tsrun restore --detach --image-path /tmp/c1 --bundle /tmp/bundle c1'],
  run({ flags, args: [id = ''], globals }) {
    const others = { 'pidfd-socket': undefined, 'preserve-fds': undefined, 'no-new-keyring': false };
    return restore({
      ...createRequest(id, { ...flags, ...others }, globals, logOf(globals)),
      ...criuRequest(flags),
      detach: flags.detach,
      noSubreaper: flags['no-subreaper'],
      tcpClose: flags['tcp-close'],
      lsmProfile: flags['lsm-profile'],
      lsmMountContext: flags['lsm-mount-context'],
    });
  },
});
