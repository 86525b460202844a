import { parseCounters, parseIoStat, parsePressure, unlimited } from './parse.ts';
import { hugePageSizes, readCounter, readStat } from './files.ts';
import {
  type BlkioStats,
  type CgroupStats,
  cpusetNumbers,
  type CpusetStats,
  type CpuStats,
  type MemoryEntry,
  type MemoryStats,
  noMemory,
  type Pressure,
} from './types.ts';

/** The statistics of a container's v2 cgroup, in the terms of v1 where clients rely on them. */
export function readStatsV2(directory: string): CgroupStats {
  return {
    cpu: cpu(directory),
    cpuset: noCpuset,
    memory: memory(directory),
    pids: pids(directory),
    blkio: blkio(directory),
    hugetlb: hugetlb(directory),
  };
}

function cpu(directory: string): CpuStats {
  const stat = parseCounters(readStat(directory, 'cpu.stat') ?? '');
  const nanoseconds = (name: string): bigint => (stat.get(name) ?? 0n) * 1000n;
  return {
    total: nanoseconds('usage_usec'),
    kernel: nanoseconds('system_usec'),
    user: nanoseconds('user_usec'),
    percpu: [],
    percpuKernel: [],
    percpuUser: [],
    periods: stat.get('nr_periods') ?? 0n,
    throttledPeriods: stat.get('nr_throttled') ?? 0n,
    throttledTime: nanoseconds('throttled_usec'),
    psi: pressure(directory, 'cpu'),
  };
}

const noCpuset: CpusetStats = {
  cpus: [],
  mems: [],
  numbers: Object.fromEntries(cpusetNumbers.map((name) => [name, 0n])) as CpusetStats['numbers'],
};

function memory(directory: string): MemoryStats {
  const raw = parseCounters(readStat(directory, 'memory.stat') ?? '');
  const entry = (part: string): MemoryEntry => ({
    usage: readCounter(directory, `memory${part}.current`),
    limit: readCounter(directory, `memory${part}.max`),
    max: readCounter(directory, `memory${part}.peak`),
    failcnt: 0n,
  });
  const usage = entry('');
  const swap = readStat(directory, 'memory.swap.current') === undefined ? noMemory : entry('.swap');
  return {
    cache: raw.get('file') ?? 0n,
    usage,
    // max is unknown: memory and swap may have had their peaks at different times.
    swap: { ...swap, usage: swap.usage + usage.usage, limit: sum(swap.limit, usage.limit), max: 0n },
    kernel: noMemory,
    kernelTCP: noMemory,
    raw,
    psi: pressure(directory, 'memory'),
  };
}

function sum(a: bigint, b: bigint): bigint {
  return a === unlimited || b === unlimited ? unlimited : a + b;
}

function pids(directory: string): CgroupStats['pids'] {
  const limit = readCounter(directory, 'pids.max');
  return { current: readCounter(directory, 'pids.current'), limit: limit === unlimited ? 0n : limit };
}

function blkio(directory: string): BlkioStats {
  const tables = parseIoStat(readStat(directory, 'io.stat') ?? '');
  return { ...tables, psi: pressure(directory, 'io') };
}

function hugetlb(directory: string): CgroupStats['hugetlb'] {
  return Object.fromEntries(
    hugePageSizes(directory, /^hugetlb\.(\w+)\.current$/).map((size) => {
      const prefix = `hugetlb.${size}`;
      const reserved = readStat(directory, `${prefix}.rsvd.current`) !== undefined;
      const usage = readCounter(directory, `${prefix}${reserved ? '.rsvd' : ''}.current`);
      const events = parseCounters(readStat(directory, `${prefix}.events`) ?? '');
      return [size, { usage, max: 0n, failcnt: events.get('max') ?? 0n }];
    }),
  );
}

/** Undefined when the kernel has no PSI, or it is off. */
function pressure(directory: string, controller: string): Pressure | undefined {
  const text = readStat(directory, `${controller}.pressure`);
  return text === undefined ? undefined : parsePressure(text);
}
