import { numbersOf } from '../../config/number-list.ts';
import type { FindDirectory } from '../write-limits.ts';
import { parseBlkio, parseCounters, parseRow, parseUsageAll, unlimited } from './parse.ts';
import { hugePageSizes, readCounter, readStat } from './files.ts';
import {
  type BlkioStats,
  type BlkioTable,
  type CgroupStats,
  cpusetNumbers,
  type CpusetStats,
  type CpuStats,
  type MemoryEntry,
  type MemoryStats,
} from './types.ts';

/** Nanoseconds of a clock tick, in which cpuacct.stat counts: USER_HZ is 100 on Linux. */
const tick = 10_000_000n;

/** The statistics of a container's v1 cgroups; zeros for a controller it has no cgroup of. */
export function readStatsV1(directoryOf: FindDirectory): CgroupStats {
  return {
    cpu: cpu(directoryOf('cpuacct'), directoryOf('cpu')),
    cpuset: cpuset(directoryOf('cpuset')),
    memory: memory(directoryOf('memory')),
    pids: pids(directoryOf('pids')),
    blkio: blkio(directoryOf('blkio')),
    hugetlb: hugetlb(directoryOf('hugetlb')),
  };
}

function cpu(accounts: string | undefined, limits: string | undefined): CpuStats {
  const { user, kernel } = parseUsageAll(readStat(accounts, 'cpuacct.usage_all') ?? '');
  const ticks = parseCounters(readStat(accounts, 'cpuacct.stat') ?? '');
  const throttling = parseCounters(readStat(limits, 'cpu.stat') ?? '');
  return {
    total: readCounter(accounts, 'cpuacct.usage'),
    kernel: (ticks.get('system') ?? 0n) * tick,
    user: (ticks.get('user') ?? 0n) * tick,
    percpu: parseRow(readStat(accounts, 'cpuacct.usage_percpu') ?? ''),
    percpuKernel: kernel,
    percpuUser: user,
    periods: throttling.get('nr_periods') ?? 0n,
    throttledPeriods: throttling.get('nr_throttled') ?? 0n,
    throttledTime: throttling.get('throttled_time') ?? 0n,
  };
}

function cpuset(directory: string | undefined): CpusetStats {
  const list = (file: string): number[] => numbersOf(readStat(directory, file)?.trim() ?? '') ?? [];
  const numbers = cpusetNumbers.map((name) => [name, readCounter(directory, `cpuset.${name}`)] as const);
  return {
    cpus: list('cpuset.cpus'),
    mems: list('cpuset.mems'),
    numbers: Object.fromEntries(numbers) as CpusetStats['numbers'],
  };
}

function memory(directory: string | undefined): MemoryStats {
  const raw = parseCounters(readStat(directory, 'memory.stat') ?? '');
  const entry = (part: string): MemoryEntry => ({
    limit: readCounter(directory, `memory${part}.limit_in_bytes`),
    usage: readCounter(directory, `memory${part}.usage_in_bytes`),
    max: readCounter(directory, `memory${part}.max_usage_in_bytes`),
    failcnt: readCounter(directory, `memory${part}.failcnt`),
  });
  return {
    cache: raw.get('cache') ?? 0n,
    usage: entry(''),
    swap: entry('.memsw'),
    kernel: entry('.kmem'),
    kernelTCP: entry('.kmem.tcp'),
    raw,
  };
}

function pids(directory: string | undefined): CgroupStats['pids'] {
  const limit = readCounter(directory, 'pids.max');
  return { current: readCounter(directory, 'pids.current'), limit: limit === unlimited ? 0n : limit };
}

/** The names of the tables in the files of the BFQ and of the former CFQ scheduler. */
const schedulerFiles: readonly (readonly [BlkioTable, string])[] = [
  ['sectors', 'sectors_recursive'],
  ['serviceTime', 'io_service_time_recursive'],
  ['waitTime', 'io_wait_time_recursive'],
  ['merged', 'io_merged_recursive'],
  ['queued', 'io_queued_recursive'],
  ['time', 'time_recursive'],
  ['serviced', 'io_serviced_recursive'],
  ['serviceBytes', 'io_service_bytes_recursive'],
];

/** The files that count without either scheduler. */
const throttleFiles = (end: string): readonly (readonly [BlkioTable, string])[] => [
  ['serviced', `throttle.io_serviced${end}`],
  ['serviceBytes', `throttle.io_service_bytes${end}`],
];

/** Files exist for every scheduler; those of a scheduler that no device uses are empty. */
function blkio(directory: string | undefined): BlkioStats {
  const sets = [
    schedulerFiles.map(([table, file]) => [table, `bfq.${file}`] as const),
    schedulerFiles,
    throttleFiles('_recursive'),
    throttleFiles(''),
  ];
  for (const files of sets) {
    const found: BlkioStats = {};
    for (const [table, file] of files) {
      const entries = parseBlkio(readStat(directory, `blkio.${file}`) ?? '');
      if (entries.length > 0) found[table] = entries;
    }
    if (Object.keys(found).length > 0) return found;
  }
  return {};
}

function hugetlb(directory: string | undefined): CgroupStats['hugetlb'] {
  const sizes = hugePageSizes(directory, /^hugetlb\.(\w+)\.usage_in_bytes$/);
  return Object.fromEntries(
    sizes.map((size) => {
      const reserved = readStat(directory, `hugetlb.${size}.rsvd.usage_in_bytes`) !== undefined;
      const prefix = `hugetlb.${size}${reserved ? '.rsvd' : ''}`;
      const entry = {
        usage: readCounter(directory, `${prefix}.usage_in_bytes`),
        max: readCounter(directory, `${prefix}.max_usage_in_bytes`),
        failcnt: readCounter(directory, `${prefix}.failcnt`),
      };
      return [size, entry];
    }),
  );
}
