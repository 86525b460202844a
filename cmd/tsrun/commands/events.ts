import { statsEvent, watchEvents } from '../../../lib/report/events.ts';
import { parseDuration } from '../flags/values.ts';
import { defineCommand } from '../command.ts';
import { rootOf } from '../context.ts';
import { containerId } from '../flags/flags.ts';
import { print } from '../output.ts';

export const command = defineCommand({
  flags: {
    interval: {
      kind: 'string',
      value: 'DURATION',
      help: 'time between statistics, such as 500ms (default 5s)',
    },
    stats: { kind: 'boolean', help: 'print statistics once and exit' },
  },
  positionals: [containerId],
  examples: ['tsrun events --stats c1', 'tsrun events --interval 1s c1'],
  run({ flags, args: [id = ''], globals }) {
    const interval = parseDuration('--interval', flags.interval ?? '5s');
    if (flags.stats) print(statsEvent(rootOf(globals), id));
    else watchEvents(rootOf(globals), id, interval, print);
    return 0;
  },
});
