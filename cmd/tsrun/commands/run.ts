import { run } from '../../../lib/container/run.ts';
import { defineCommand } from '../command.ts';
import { logOf } from '../context.ts';
import { createFlags, createRequest, newContainerId } from '../flags/flags.ts';

export const command = defineCommand({
  flags: {
    ...createFlags,
    detach: { kind: 'boolean', short: 'd', help: 'do not wait for the process to end' },
    keep: { kind: 'boolean', help: 'do not delete the container when its process ends' },
    'no-subreaper': { kind: 'boolean', help: 'do not adopt orphaned processes of the container' },
  },
  positionals: [newContainerId],
  examples: ['tsrun run --bundle /tmp/bundle c1', 'tsrun run --detach --bundle /tmp/bundle c1'],
  run({ flags, args: [id = ''], globals }) {
    return run({
      ...createRequest(id, flags, globals, logOf(globals)),
      detach: flags.detach,
      keep: flags.keep,
      noSubreaper: flags['no-subreaper'],
    });
  },
});
