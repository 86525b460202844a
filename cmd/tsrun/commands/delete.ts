import { deleteContainer } from '../../../lib/container/delete.ts';
import { containerId, defineCommand } from '../command.ts';
import { logOf, rootOf } from '../context.ts';

export const command = defineCommand({
  flags: {
    force: {
      kind: 'boolean',
      short: 'f',
      help: 'kill it first when it runs; one that does not exist is fine',
    },
  },
  positionals: [containerId],
  examples: ['tsrun delete c1', 'tsrun delete --force c1'],
  run({ flags, args: [id = ''], globals }) {
    deleteContainer({ root: rootOf(globals), id, log: logOf(globals), force: flags.force });
    return 0;
  },
});
