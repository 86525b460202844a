import { killContainer } from '../../../lib/container/kill.ts';
import { parseSignal } from '../../../lib/host/signals.ts';
import { defineCommand } from '../command.ts';
import { rootOf } from '../context.ts';
import { containerId } from '../flags/flags.ts';

export const command = defineCommand({
  flags: {
    all: { kind: 'boolean', short: 'a', help: 'send the signal to every process of the container' },
  },
  positionals: [
    containerId,
    { name: 'signal', help: 'number or name of the signal (default: TERM)', optional: true },
  ],
  stopAtPositional: true,
  examples: ['tsrun kill c1', 'tsrun kill c1 KILL', 'tsrun kill --all c1 9'],
  run({ flags, args: [id = '', signal = 'TERM'], globals }) {
    killContainer({ root: rootOf(globals), id, signal: parseSignal(signal), all: flags.all });
    return 0;
  },
});
