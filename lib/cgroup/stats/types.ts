/** The statistics of a container's cgroups. Times are in nanoseconds, sizes in bytes. */
export interface CgroupStats {
  cpu: CpuStats;
  /** cgroup v1 only. */
  cpuset: CpusetStats;
  memory: MemoryStats;
  pids: { current: bigint; /** 0 for none. */ limit: bigint };
  blkio: BlkioStats;
  /** By page size, `2MB`. */
  hugetlb: Record<string, Omit<MemoryEntry, 'limit'>>;
}

export interface CpuStats {
  total: bigint;
  kernel: bigint;
  user: bigint;
  /** By CPU; empty on cgroup v2. */
  percpu: bigint[];
  percpuKernel: bigint[];
  percpuUser: bigint[];
  periods: bigint;
  throttledPeriods: bigint;
  throttledTime: bigint;
  psi?: Pressure | undefined;
}

/** The files of a cpuset on v1 that hold a number, without their prefix, in the order `events` prints them. */
export const cpusetNumbers = [
  'cpu_exclusive',
  'mem_hardwall',
  'mem_exclusive',
  'memory_migrate',
  'memory_spread_page',
  'memory_spread_slab',
  'memory_pressure',
  'sched_load_balance',
  'sched_relax_domain_level',
] as const;

export interface CpusetStats {
  cpus: number[];
  mems: number[];
  numbers: Record<(typeof cpusetNumbers)[number], bigint>;
}

export interface MemoryEntry {
  /** Without a limit: 2^64-1 on cgroup v2, the largest number of whole pages on v1. */
  limit: bigint;
  usage: bigint;
  /** The highest usage so far. */
  max: bigint;
  /** How often a limit was hit. */
  failcnt: bigint;
}

export interface MemoryStats {
  /** The page cache. */
  cache: bigint;
  usage: MemoryEntry;
  /** Memory and swap together. */
  swap: MemoryEntry;
  kernel: MemoryEntry;
  kernelTCP: MemoryEntry;
  /** memory.stat. */
  raw: ReadonlyMap<string, bigint>;
  psi?: Pressure | undefined;
}

export interface BlkioEntry {
  major: bigint;
  minor: bigint;
  /** `Read`, `Write`, `Total` …; empty where there is no distinction. */
  op: string;
  value: bigint;
}

/** The tables of block I/O, in the order `events` prints them. */
export const blkioTables = [
  'serviceBytes',
  'serviced',
  'queued',
  'serviceTime',
  'waitTime',
  'merged',
  'time',
  'sectors',
] as const;

export type BlkioTable = (typeof blkioTables)[number];

export type BlkioStats = Partial<Record<BlkioTable, BlkioEntry[]>> & { psi?: Pressure | undefined };

/** How long tasks waited for something (Documentation/accounting/psi.rst). */
export interface Pressure {
  some: PressureLine;
  full: PressureLine;
}

export interface PressureLine {
  /** Per cent of the last 10, 60 and 300 seconds. */
  avg10: number;
  avg60: number;
  avg300: number;
  /** Microseconds. */
  total: bigint;
}

export const noMemory: Readonly<MemoryEntry> = { limit: 0n, usage: 0n, max: 0n, failcnt: 0n };
