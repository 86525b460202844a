import { checkpoint } from '../../../lib/checkpoint/checkpoint.ts';
import { defineCommand } from '../command.ts';
import { logOf, rootOf } from '../context.ts';
import { containerId, criuFlags, criuRequest } from '../flags/flags.ts';
import { given, parseAddress } from '../flags/values.ts';

export const command = defineCommand({
  flags: {
    ...criuFlags('save'),
    'leave-running': { kind: 'boolean', help: 'leave the container running after the checkpoint' },
    'pre-dump': { kind: 'boolean', help: 'save only the memory and leave the container running' },
    'parent-path': {
      kind: 'string',
      value: 'DIR',
      help: 'directory of the previous pre-dump, relative to --image-path',
    },
    'tcp-skip-in-flight': { kind: 'boolean', help: 'skip TCP connections that are not established yet' },
    'link-remap': { kind: 'boolean', help: 'save files that were deleted while open by linking them again' },
    'page-server': {
      kind: 'string',
      value: 'ADDRESS:PORT',
      help: 'send memory pages to the page server at this address',
    },
    'status-fd': {
      kind: 'integer',
      value: 'FD',
      help: 'file descriptor that receives a zero byte when criu is ready to serve lazy pages',
    },
  },
  positionals: [containerId],
  examples: ['tsrun checkpoint --image-path /tmp/c1 c1', 'tsrun checkpoint --leave-running c1'],
  run({ flags, args: [id = ''], globals }) {
    const pageServer = given(flags['page-server']);
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
      pageServer: pageServer === undefined ? undefined : parseAddress('--page-server', pageServer),
      statusFd: flags['status-fd'],
    });
    return 0;
  },
});
