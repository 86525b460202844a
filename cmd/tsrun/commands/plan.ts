import { compileBundle } from '../../../lib/container/prepare-container.ts';
import { describeOp } from '../../../lib/explain/describe-op.ts';
import type { Op } from '../../../lib/plan/wire.ts';
import { withSource } from '../../../lib/core/error.ts';
import { tellFrom } from '../../../lib/core/finding.ts';
import { readBundle } from '../../../lib/config/bundle.ts';
import { locate } from '../../../lib/config/json/locate.ts';
import { printable } from '../../../lib/core/message-text.ts';
import { validateConfig } from '../../../lib/config/validate.ts';
import { cgroupDriverOf, previewRootOf } from '../context.ts';
import { defineCommand } from '../command.ts';
import { bundleArgument, bundleFlag, createFlags, formatFlag } from '../flags/flags.ts';
import { print, printError, table } from '../output.ts';
import { renderNotice } from '../render.ts';

export const command = defineCommand({
  flags: {
    bundle: bundleFlag,
    format: formatFlag('text'),
    'no-pivot': createFlags['no-pivot'],
    'no-new-keyring': createFlags['no-new-keyring'],
  },
  positionals: [bundleArgument],
  examples: ['tsrun plan --bundle /tmp/bundle', 'tsrun plan --format json /tmp/bundle'],
  run({ flags, args, globals }) {
    const bundle = readBundle(flags.bundle ?? args[0] ?? '.');
    const warn = tellFrom(
      () => bundle,
      (notice) => {
        printError(`warning: ${renderNotice(notice)}\n`);
      },
    );
    const request = {
      id: 'plan',
      root: previewRootOf(globals),
      cgroupDriver: cgroupDriverOf(globals),
      noPivot: flags['no-pivot'],
      noNewKeyring: flags['no-new-keyring'],
    };
    const { plan } = withSource(
      () => bundle,
      () => {
        validateConfig(bundle).warnings.forEach(warn);
        return compileBundle(bundle, request, 'start');
      },
    );
    plan.warnings.forEach(warn);
    const steps = stepsOf(plan.ops, bundle.text);
    print(flags.format === 'json' ? `${JSON.stringify(steps, null, 2)}\n` : textOf(steps));
    return 0;
  },
});

/** Documented in docs/inspecting.md: other programs rely on it. */
interface Step {
  /** The process of the init, as docs/architecture.md names them. */
  process: 'A' | 'B';
  op: string;
  description: string;
  /** JSON pointer of the property that the operation comes from, and its line; absent when there is none. */
  origin?: string;
  line?: number;
  arguments: Record<string, unknown>;
}

function stepsOf(ops: readonly Op[], text: string): Step[] {
  // The clone of B is the last operation of A.
  const last = ops.findIndex(({ op }) => op === 'clone' || op === 'cloneVisible');
  return ops.map((step, index) => {
    const { op, origin, ...rest } = step;
    return {
      process: index <= last ? 'A' : 'B',
      op,
      description: describeOp(step),
      ...(origin === '' ? {} : { origin, line: locate(text, origin).line }),
      arguments: Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, jsonValue(value)])),
    };
  });
}

/** 64-bit integers as strings: many readers of JSON round large numbers. */
function jsonValue(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
}

function textOf(steps: readonly Step[]): string {
  const rows = steps.map(({ process: letter, description, origin = '', line = '' }, index) => [
    String(index),
    letter,
    String(line),
    printable(origin),
    description,
  ]);
  return table(['#', 'PROCESS', 'LINE', 'ORIGIN', 'OPERATION'], rows, 0);
}
