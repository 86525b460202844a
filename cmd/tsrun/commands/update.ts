import { updateContainer } from '../../../lib/container/update.ts';
import { TsrunError } from '../../../lib/core/error.ts';
import { defineCommand } from '../command.ts';
import { logOf, rootOf } from '../context.ts';
import { containerId } from '../flags/flags.ts';
import { declareLimits, readLimits } from '../flags/limit-flags.ts';
import { given } from '../flags/values.ts';

/** Flags that each give one line of the schemata file of the container's Intel RDT class. */
const schemata = {
  'l3-cache-schema': {
    kind: 'string',
    value: 'SCHEMA',
    help: 'L3 cache of the Intel RDT class, such as L3:0=7f0;1=1f',
  },
  'mem-bw-schema': {
    kind: 'string',
    value: 'SCHEMA',
    help: 'memory bandwidth of the Intel RDT class, such as MB:0=20;1=70',
  },
} as const;

export const command = defineCommand({
  flags: {
    resources: {
      kind: 'string',
      short: 'r',
      value: 'FILE',
      help: 'JSON file with linux.resources of config.json, - for stdin; other flags override it; 0 leaves a limit unchanged',
    },
    ...schemata,
    ...declareLimits(),
  },
  positionals: [containerId],
  examples: ['tsrun update --memory 512m --memory-swap 1g c1', 'tsrun update --resources - c1'],
  run({ flags, args: [id = ''], globals }) {
    const changes = readLimits(flags);
    const file = given(flags.resources);
    const lines = [
      { flag: '--l3-cache-schema', name: 'l3CacheSchema', line: flags['l3-cache-schema'] ?? '' } as const,
      { flag: '--mem-bw-schema', name: 'memBwSchema', line: flags['mem-bw-schema'] ?? '' } as const,
    ].filter(({ line }) => line !== '');
    if (file === undefined && changes.length === 0 && lines.length === 0) {
      throw new TsrunError('usage', 'tsrun update: nothing to change: give limits or --resources');
    }
    updateContainer({
      root: rootOf(globals),
      id,
      log: logOf(globals),
      resources: { file, changes },
      schemata: lines,
    });
    return 0;
  },
});
