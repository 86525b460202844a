import type { ContainerStats } from '../container-stats.ts';

export const emptyMemoryEntry = { limit: 0n, usage: 0n, max: 0n, failcnt: 0n };

/** Statistics of a container that has used nothing. */
export const emptyStats: ContainerStats = {
  cpu: {
    total: 0n,
    kernel: 0n,
    user: 0n,
    percpu: [],
    percpuKernel: [],
    percpuUser: [],
    periods: 0n,
    throttledPeriods: 0n,
    throttledTime: 0n,
  },
  cpuset: { cpus: [], mems: [], numbers: {} as ContainerStats['cpuset']['numbers'] },
  memory: {
    cache: 0n,
    usage: emptyMemoryEntry,
    swap: emptyMemoryEntry,
    kernel: emptyMemoryEntry,
    kernelTCP: emptyMemoryEntry,
    raw: new Map(),
  },
  pids: { current: 0n, limit: 0n },
  blkio: {},
  hugetlb: {},
  network: undefined,
  resctrl: undefined,
};
