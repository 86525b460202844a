import { pauseContainer } from '../../../lib/container/pause.ts';
import { defineCommand } from '../command.ts';
import { rootOf } from '../context.ts';
import { containerId } from '../flags/flags.ts';

export const command = defineCommand({
  flags: {},
  positionals: [containerId],
  examples: ['tsrun pause c1'],
  run({ args: [id = ''], globals }) {
    pauseContainer({ root: rootOf(globals), id });
    return 0;
  },
});
