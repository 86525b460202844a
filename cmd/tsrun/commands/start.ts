import { start } from '../../../lib/container/start.ts';
import { containerId, defineCommand } from '../command.ts';
import { notifySocket } from '../flags/create-flags.ts';
import { logOf, rootOf } from '../context.ts';

export const command = defineCommand({
  flags: {},
  positionals: [containerId],
  examples: ['tsrun start c1'],
  run({ args: [id = ''], globals }) {
    start({
      root: rootOf(globals),
      id,
      log: logOf(globals),
      notifySocket: notifySocket(process.env),
    });
    return 0;
  },
});
