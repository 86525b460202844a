import { deleteContainer } from '../../../lib/container/delete.ts';
import { defineCommand } from '../command.ts';
import { logOf, rootOf } from '../context.ts';
import { containerId } from '../flags/flags.ts';

export const command = defineCommand({
  flags: {
    force: {
      kind: 'boolean',
      short: 'f',
      help: 'kill the container if it runs; do not fail if it does not exist',
    },
  },
  positionals: [containerId],
  examples: ['tsrun delete c1', 'tsrun delete --force c1'],
  run({ flags, args: [id = ''], globals }) {
    deleteContainer({ root: rootOf(globals), id, log: logOf(globals), force: flags.force });
    return 0;
  },
});
