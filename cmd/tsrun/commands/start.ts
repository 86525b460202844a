import { start } from '../../../lib/container/start.ts';
import { defineCommand } from '../command.ts';
import { logOf, notifySocket, rootOf } from '../context.ts';
import { containerId } from '../flags/flags.ts';

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
