import { containerState } from '../../../lib/report/state.ts';
import { defineCommand } from '../command.ts';
import { rootOf } from '../context.ts';
import { containerId } from '../flags/flags.ts';
import { print } from '../output.ts';

export const command = defineCommand({
  flags: {},
  positionals: [containerId],
  examples: ['tsrun state c1'],
  run({ args: [id = ''], globals }) {
    // Without a newline at the end, as runc prints it.
    print(JSON.stringify(containerState(rootOf(globals), id), null, 2));
    return 0;
  },
});
