import { restore } from '../../../lib/checkpoint/restore.ts';
import { defineCommand } from '../command.ts';
import { logOf } from '../context.ts';
import { createFlags, createRequest, newContainerId } from '../flags/create-flags.ts';
import { criuFlags, criuRequest } from '../flags/criu-flags.ts';

export const command = defineCommand({
  flags: {
    bundle: createFlags.bundle,
    'pid-file': createFlags['pid-file'],
    'console-socket': createFlags['console-socket'],
    'no-pivot': { kind: 'boolean', help: 'accepted for the sake of callers; criu enters the rootfs' },
    ...criuFlags,
    detach: { kind: 'boolean', short: 'd', help: 'return once the processes run' },
    'no-subreaper': { kind: 'boolean', help: 'do not become the reaper of orphans of the container' },
    'tcp-close': { kind: 'boolean', help: 'close the TCP connections that were open' },
    'lsm-profile': { kind: 'string', value: 'TYPE:NAME', help: 'another LSM profile (apparmor, selinux)' },
    'lsm-mount-context': { kind: 'string', value: 'CONTEXT', help: 'another LSM context of mounts' },
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
