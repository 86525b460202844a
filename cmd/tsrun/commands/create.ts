import { create } from '../../../lib/container/create.ts';
import { defineCommand } from '../command.ts';
import { logOf } from '../context.ts';
import { createFlags, createRequest, newContainerId } from '../flags/flags.ts';

export const command = defineCommand({
  flags: createFlags,
  positionals: [newContainerId],
  examples: ['tsrun create --bundle /tmp/bundle c1'],
  run({ flags, args: [id = ''], globals }) {
    create(createRequest(id, flags, globals, logOf(globals)));
    return 0;
  },
});
