import { draw } from '../../lib/container/blueprint.ts';
import { silentLog } from '../../lib/log/logger.ts';
import { describeOp } from '../../lib/plan/describe.ts';
import type { Op } from '../../lib/plan/wire.ts';
import { wireOps } from '../../lib/plan/wire.ts';
import { locate } from '../../lib/spec/locate.ts';
import { cgroupDriverOf, rootOf } from './context.ts';
import { defineCommand } from './command.ts';
import { print, printError, table } from './output.ts';

export const command = defineCommand({
  flags: {
    bundle: { kind: 'string', short: 'b', value: 'DIR', help: 'the bundle (default: the working directory)' },
    format: {
      kind: 'string',
      short: 'f',
      value: 'FORMAT',
      choices: ['text', 'json'],
      help: 'text (default) or json',
    },
    'no-pivot': { kind: 'boolean', help: 'as for create' },
    'no-new-keyring': { kind: 'boolean', help: 'as for create' },
  },
  positionals: [{ name: 'bundle', help: 'the same as --bundle', optional: true }],
  examples: ['tsrun plan --bundle /tmp/bundle', 'tsrun plan --format json /tmp/bundle'],
  run({ flags, args, globals }) {
    const { plan, bundle } = draw(
      {
        id: 'plan',
        bundle: flags.bundle ?? args[0] ?? '.',
        root: rootOf(globals),
        log: silentLog,
        cgroupDriver: cgroupDriverOf(globals),
        noPivot: flags['no-pivot'],
        noNewKeyring: flags['no-new-keyring'],
      },
      'start',
      (message) => {
        printError(`warning: ${message}\n`);
      },
    );
    if (flags.format === 'json') {
      print(`${JSON.stringify(plan.ops.map(jsonOf), null, 2)}\n`);
      return 0;
    }
    const rows = plan.ops.map((op, index) => {
      const line = op.origin === '' ? '' : String(locate(bundle.text, op.origin).line);
      return [String(index), processOf(op), describeOp(op), op.origin, line];
    });
    print(table(['#', 'PROCESS', 'OPERATION', 'ORIGIN', 'LINE'], rows));
    return 0;
  },
});

/** A and B of docs/architecture.md. What may run in both runs in the one whose turn it is. */
function processOf(op: Op): string {
  return wireOps[op.op].in.toUpperCase();
}

/** 64-bit integers as strings: they may be larger than a JSON reader keeps. */
function jsonOf(op: Op): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(op).map(([name, value]: [string, unknown]) => [
      name,
      typeof value === 'bigint'
        ? value.toString()
        : value instanceof Uint8Array
          ? Buffer.from(value).toString('base64')
          : value,
    ]),
  );
}
