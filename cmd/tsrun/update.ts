import { update } from '../../lib/container/update.ts';
import { TsrunError } from '../../lib/errors.ts';
import { containerId, defineCommand } from './command.ts';
import { logOf, rootOf } from './context.ts';
import { declareLimits, readLimits } from './update-limits.ts';

const schemas = {
  'l3-cache-schema': { kind: 'string', value: 'SCHEMA', help: 'Intel RDT: L3 cache schema' },
  'mem-bw-schema': { kind: 'string', value: 'SCHEMA', help: 'Intel RDT: memory bandwidth schema' },
} as const;

export const command = defineCommand({
  flags: {
    resources: {
      kind: 'string',
      short: 'r',
      value: 'FILE',
      help: 'JSON file with resources as in config.json, - for stdin; the other flags change them. 0 is: as it is',
    },
    ...schemas,
    ...declareLimits(),
  },
  positionals: [containerId],
  examples: ['tsrun update --memory 512m --memory-swap 1g c1', 'tsrun update --resources - c1'],
  async run({ flags, args: [id = ''], globals }) {
    const changes = readLimits(flags);
    const file = flags.resources === '' ? undefined : flags.resources;
    for (const name of Object.keys(schemas)) refuseSchema(name, flags);
    if (file === undefined && changes.length === 0) {
      throw new TsrunError('usage', 'tsrun update: nothing to change: give limits or --resources');
    }
    await update({ root: rootOf(globals), id, log: logOf(globals), resources: { file, changes } });
    return 0;
  },
});

function refuseSchema(name: string, flags: Readonly<Record<string, unknown>>): void {
  if (flags[name] === undefined || flags[name] === '') return;
  throw new TsrunError('unsupported', `--${name}: Intel RDT is not available`, {
    hint: 'It needs /sys/fs/resctrl to be mounted, and a container that has a group there.',
  });
}
