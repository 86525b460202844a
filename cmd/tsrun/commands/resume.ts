import { resumeContainer } from '../../../lib/container/pause.ts';
import { defineCommand } from '../command.ts';
import { rootOf } from '../context.ts';
import { containerId } from '../flags/flags.ts';

export const command = defineCommand({
  flags: {},
  positionals: [containerId],
  examples: ['tsrun resume c1'],
  run({ args: [id = ''], globals }) {
    resumeContainer({ root: rootOf(globals), id });
    return 0;
  },
});
