import { checkpoint } from '../../../lib/checkpoint/checkpoint.ts';
import { TsrunError } from '../../../lib/core/error.ts';
import { containerId, defineCommand } from '../command.ts';
import { logOf, rootOf } from '../context.ts';
import { criuFlags, criuRequest } from '../flags/criu-flags.ts';

export const command = defineCommand({
  flags: {
    ...criuFlags,
    'leave-running': { kind: 'boolean', help: 'let the container go on afterwards' },
    'pre-dump': { kind: 'boolean', help: 'save its memory only, and let it go on' },
    'parent-path': {
      kind: 'string',
      value: 'DIR',
      help: 'images of the pre-dump before, relative to --image-path',
    },
    'tcp-skip-in-flight': { kind: 'boolean', help: 'leave out TCP connections that are being made' },
    'link-remap': { kind: 'boolean', help: 'link files that were deleted while open, where possible' },
    'page-server': { kind: 'string', value: 'ADDRESS:PORT', help: 'send the memory to this page server' },
    'status-fd': {
      kind: 'integer',
      value: 'FD',
      help: 'descriptor that gets a zero byte when lazy pages are ready',
    },
  },
  positionals: [containerId],
  examples: ['tsrun checkpoint --image-path /tmp/c1 c1', 'tsrun checkpoint --leave-running c1'],
  run({ flags, args: [id = ''], globals }) {
    checkpoint({
      ...criuRequest(flags),
      root: rootOf(globals),
      id,
      log: logOf(globals),
      parentPath: flags['parent-path'],
      leaveRunning: flags['leave-running'],
      preDump: flags['pre-dump'],
      tcpSkipInFlight: flags['tcp-skip-in-flight'],
      linkRemap: flags['link-remap'],
      pageServer: pageServer(flags['page-server']),
      statusFd: flags['status-fd'],
    });
    return 0;
  },
});

function pageServer(text: string | undefined): { address: string; port: number } | undefined {
  if (text === undefined || text === '') return undefined;
  const [, address, port] = /^\[?([^\]]+)\]?:(\d{1,5})$/.exec(text) ?? [];
  if (address === undefined || Number(port) > 65535) {
    throw new TsrunError('usage', `--page-server is ADDRESS:PORT, not ${JSON.stringify(text)}`);
  }
  return { address, port: Number(port) };
}
