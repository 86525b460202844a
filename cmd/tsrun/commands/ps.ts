import { listProcesses, processTable } from '../../../lib/report/ps.ts';
import { defineCommand } from '../command.ts';
import { rootOf } from '../context.ts';
import { containerId, formatFlag } from '../flags/flags.ts';
import { print } from '../output.ts';

export const command = defineCommand({
  flags: {
    format: formatFlag('table', 'which lists only the pids'),
  },
  positionals: [
    containerId,
    { name: 'ps-options', help: "options for the host's ps (default: -ef)", optional: true, rest: true },
  ],
  stopAtPositional: true,
  examples: ['tsrun ps c1', 'tsrun ps c1 -o pid,comm', 'tsrun ps --format json c1'],
  run({ flags, args: [id = '', ...options], globals }) {
    const pids = listProcesses(rootOf(globals), id);
    print(flags.format === 'json' ? `${JSON.stringify(pids)}\n` : processTable(pids, options));
    return 0;
  },
});
