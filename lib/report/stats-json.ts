/** Statistics as `events` prints them: runc's JSON. */
import {
  type BlkioEntry,
  type BlkioTable,
  blkioTables,
  type CgroupStats,
  cpusetNumbers,
  type CpusetStats,
  type MemoryEntry,
  type Pressure,
} from '../cgroup/stats/types.ts';
import type { JsonValue } from '../config/json/write.ts';
import type { NetworkCounters, NetworkStats } from './network-stats.ts';
import { resctrlData } from './resctrl-json.ts';
import type { ContainerStats } from './container-stats.ts';

type JsonObject = Readonly<Record<string, JsonValue | undefined>>;

/** The `data` of a stats event. Leaves out a 0 where runc does. Pure. */
export function statsData(stats: ContainerStats): JsonObject {
  const { memory, hugetlb, network } = stats;
  return {
    cpu: cpuData(stats),
    cpuset: cpusetData(stats.cpuset),
    memory: {
      cache: nonZero(memory.cache),
      usage: memoryData(memory.usage),
      swap: memoryData(memory.swap),
      kernel: memoryData(memory.kernel),
      kernelTCP: memoryData(memory.kernelTCP),
      raw: memory.raw.size === 0 ? undefined : sorted(memory.raw),
      psi: pressureData(memory.psi),
    },
    pids: { current: nonZero(stats.pids.current), limit: nonZero(stats.pids.limit) },
    blkio: blkioData(stats),
    hugetlb: Object.fromEntries(
      Object.entries(hugetlb).map(([size, { usage, max, failcnt }]) => [
        size,
        { usage: nonZero(usage), max: nonZero(max), failcnt },
      ]),
    ),
    intel_rdt: resctrlData(stats.resctrl),
    network_interfaces: network === undefined || network.length === 0 ? null : network.map(interfaceData),
  };
}

function cpuData({ cpu }: CgroupStats): JsonObject {
  return {
    usage: {
      total: nonZero(cpu.total),
      percpu: nonEmpty(cpu.percpu),
      percpu_kernel: nonEmpty(cpu.percpuKernel),
      percpu_user: nonEmpty(cpu.percpuUser),
      kernel: cpu.kernel,
      user: cpu.user,
    },
    throttling: {
      periods: nonZero(cpu.periods),
      throttledPeriods: nonZero(cpu.throttledPeriods),
      throttledTime: nonZero(cpu.throttledTime),
    },
    psi: pressureData(cpu.psi),
  };
}

function cpusetData({ cpus, mems, numbers }: CpusetStats): JsonObject {
  const [exclusive, ...others] = cpusetNumbers;
  return {
    cpus: nonEmpty(cpus),
    [exclusive]: numbers[exclusive],
    mems: nonEmpty(mems),
    ...Object.fromEntries(others.map((name) => [name, numbers[name]])),
  };
}

function memoryData({ limit, usage, max, failcnt }: MemoryEntry): JsonObject {
  return { limit, usage: nonZero(usage), max: nonZero(max), failcnt };
}

/** runc's names of the tables, in the order they are printed. */
const tableNames: Readonly<Record<BlkioTable, string>> = {
  serviceBytes: 'ioServiceBytesRecursive',
  serviced: 'ioServicedRecursive',
  queued: 'ioQueueRecursive',
  serviceTime: 'ioServiceTimeRecursive',
  waitTime: 'ioWaitTimeRecursive',
  merged: 'ioMergedRecursive',
  time: 'ioTimeRecursive',
  sectors: 'sectorsRecursive',
};

function blkioData({ blkio }: CgroupStats): JsonObject {
  const tables = blkioTables.map((table) => [
    tableNames[table],
    nonEmpty((blkio[table] ?? []).map(blkioEntry)),
  ]);
  return { ...(Object.fromEntries(tables) as JsonObject), psi: pressureData(blkio.psi) };
}

function blkioEntry({ major, minor, op, value }: BlkioEntry): JsonObject {
  return {
    major: nonZero(major),
    minor: nonZero(minor),
    op: op === '' ? undefined : op,
    value: nonZero(value),
  };
}

function pressureData(pressure: Pressure | undefined): JsonObject | undefined {
  return pressure && { some: { ...pressure.some }, full: { ...pressure.full } };
}

function interfaceData({ name, received, sent }: NetworkStats): JsonObject {
  return { Name: name, ...counters('Rx', received), ...counters('Tx', sent) };
}

function counters(prefix: string, { bytes, packets, errors, dropped }: NetworkCounters): JsonObject {
  return {
    [`${prefix}Bytes`]: bytes,
    [`${prefix}Packets`]: packets,
    [`${prefix}Errors`]: errors,
    [`${prefix}Dropped`]: dropped,
  };
}

function sorted(values: ReadonlyMap<string, bigint>): JsonObject {
  return Object.fromEntries([...values].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function nonZero(value: bigint): bigint | undefined {
  return value === 0n ? undefined : value;
}

function nonEmpty<T>(list: T[]): T[] | undefined {
  return list.length === 0 ? undefined : list;
}
