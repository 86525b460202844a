import { parseInteger, parseSize } from './values.ts';
import type { LimitChange } from '../../../lib/container/update-request.ts';
import type { Flag } from '../command.ts';

/** A flag of `update` that sets one property of linux.resources. */
interface LimitFlag {
  /** The property. */
  at: readonly [group: string, name: string];
  /** Its values: an integer within inclusive bounds, a size in bytes, or a text. */
  takes: readonly [least: bigint, most: bigint] | 'size' | 'text';
  value: string;
  help: string;
  hidden?: true;
}

const most = (bits: bigint): bigint => (1n << bits) - 1n;
const uint16 = [0n, most(16n)] as const;
const uint64 = [0n, most(64n)] as const;
const int64 = [-most(63n), most(63n)] as const;

/** The flags by name, in the order of help. */
export const limitFlags: Readonly<Record<string, LimitFlag>> = {
  memory: { at: ['memory', 'limit'], takes: 'size', value: 'SIZE', help: 'limit of memory; -1 for no limit' },
  'memory-reservation': {
    at: ['memory', 'reservation'],
    takes: 'size',
    value: 'SIZE',
    help: 'soft limit of memory; the kernel reclaims memory above it first',
  },
  'memory-swap': {
    at: ['memory', 'swap'],
    takes: 'size',
    value: 'SIZE',
    help: 'limit of memory and swap together; -1 for no limit on swap',
  },
  'kernel-memory': {
    at: ['memory', 'kernel'],
    takes: 'size',
    value: 'SIZE',
    help: 'limit of kernel memory (removed from Linux)',
    hidden: true,
  },
  'kernel-memory-tcp': {
    at: ['memory', 'kernelTCP'],
    takes: 'size',
    value: 'SIZE',
    help: 'limit of the memory for TCP buffers',
    hidden: true,
  },
  'cpu-period': {
    at: ['cpu', 'period'],
    takes: uint64,
    value: 'µs',
    help: 'length of the period that --cpu-quota is for',
  },
  'cpu-quota': {
    at: ['cpu', 'quota'],
    takes: int64,
    value: 'µs',
    help: 'CPU time in each period; -1 for no limit',
  },
  'cpu-burst': {
    at: ['cpu', 'burst'],
    takes: uint64,
    value: 'µs',
    help: 'unused CPU time that may be used in a later period',
  },
  'cpu-share': {
    at: ['cpu', 'shares'],
    takes: uint64,
    value: 'N',
    help: 'relative weight of CPU time (shares)',
  },
  'cpu-rt-period': {
    at: ['cpu', 'realtimePeriod'],
    takes: uint64,
    value: 'µs',
    help: 'length of the period that --cpu-rt-runtime is for',
  },
  'cpu-rt-runtime': {
    at: ['cpu', 'realtimeRuntime'],
    takes: int64,
    value: 'µs',
    help: 'real-time CPU time in each period',
  },
  'cpu-idle': {
    at: ['cpu', 'idle'],
    takes: [0n, 1n],
    value: '0|1',
    help: '0 or 1; with 1 the container runs only when no other process wants the CPU',
  },
  'cpuset-cpus': { at: ['cpu', 'cpus'], takes: 'text', value: 'LIST', help: 'CPUs to use, such as 0-3,7' },
  'cpuset-mems': { at: ['cpu', 'mems'], takes: 'text', value: 'LIST', help: 'memory nodes to use' },
  'pids-limit': {
    at: ['pids', 'limit'],
    takes: int64,
    value: 'N',
    help: 'largest number of tasks; -1 for no limit',
  },
  'blkio-weight': {
    at: ['blockIO', 'weight'],
    takes: uint16,
    value: 'N',
    help: 'weight of block I/O, from 10 to 1000',
  },
};

/** The declarations of the flags, for the parser and for help. */
export function declareLimits(): Record<string, Flag & { kind: 'string' }> {
  return Object.fromEntries(
    Object.entries(limitFlags).map(([name, { value, help, hidden }]) => [
      name,
      { kind: 'string', value, help, ...(hidden === undefined ? {} : { hidden }) } as const,
    ]),
  );
}

/**
 * Parses the flags that were given; an empty value counts as not given.
 * @throws TsrunError 'usage' for an invalid value
 */
export function readLimits(flags: Readonly<Record<string, unknown>>): LimitChange[] {
  return Object.entries(limitFlags).flatMap(
    ([
      name,
      {
        at: [group, property],
        takes,
      },
    ]) => {
      const text = flags[name];
      if (typeof text !== 'string' || text === '') return [];
      const flag = `--${name}`;
      const value =
        takes === 'text' ? text : takes === 'size' ? parseSize(flag, text) : parseInteger(flag, text, takes);
      return [{ flag, group, name: property, value }];
    },
  );
}
