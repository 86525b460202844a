import { update } from '../../../lib/container/update.ts';
import { TsrunError } from '../../../lib/core/error.ts';
import { containerId, defineCommand } from '../command.ts';
import { logOf, rootOf } from '../context.ts';
import { declareLimits, readLimits } from '../flags/resource-flags.ts';

/** Flags that each give a line for the schemata of a class of Intel RDT. */
const schemata = {
  'l3-cache-schema': {
    kind: 'string',
    value: 'SCHEMA',
    help: 'shares of the L3 cache for its class of Intel RDT, such as L3:0=7f0;1=1f',
  },
  'mem-bw-schema': {
    kind: 'string',
    value: 'SCHEMA',
    help: 'memory bandwidth for its class of Intel RDT, such as MB:0=20;1=70',
  },
} as const;

export const command = defineCommand({
  flags: {
    resources: {
      kind: 'string',
      short: 'r',
      value: 'FILE',
      help: 'JSON file with resources as in config.json, - for stdin; the other flags change them. 0 is: as it is',
    },
    ...schemata,
    ...declareLimits(),
  },
  positionals: [containerId],
  examples: ['tsrun update --memory 512m --memory-swap 1g c1', 'tsrun update --resources - c1'],
  run({ flags, args: [id = ''], globals }) {
    const changes = readLimits(flags);
    const file = flags.resources === '' ? undefined : flags.resources;
    const lines = [
      { flag: '--l3-cache-schema', name: 'l3CacheSchema', line: flags['l3-cache-schema'] ?? '' } as const,
      { flag: '--mem-bw-schema', name: 'memBwSchema', line: flags['mem-bw-schema'] ?? '' } as const,
    ].filter(({ line }) => line !== '');
    if (file === undefined && changes.length === 0 && lines.length === 0) {
      throw new TsrunError('usage', 'tsrun update: nothing to change: give limits or --resources');
    }
    update({
      root: rootOf(globals),
      id,
      log: logOf(globals),
      resources: { file, changes },
      schemata: lines,
    });
    return 0;
  },
});
