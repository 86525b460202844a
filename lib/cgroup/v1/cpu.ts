import { TsrunError } from '../../core/error.ts';
import type { CpuResources, Integer } from '../../config/types.ts';
import type { CgroupWrite } from '../cgroup-write.ts';
import { decimal, isSet, resourcesPointer } from '../cgroup-write.ts';

const pointer = `${resourcesPointer}/cpu`;

/** The kernel silently moves shares outside of this range into it (sched(7), CFS group shares). */
const minimumShares = 2n;
const maximumShares = 262_144n;

/** cpuset.cpus and cpuset.mems: before the first process joins, which an empty cpuset would refuse. */
export function cpusetSteps({ cpus, mems }: CpuResources): CgroupWrite[] {
  const writes: CgroupWrite[] = [];
  const add = (property: 'cpus' | 'mems', value: string | undefined): void => {
    if (value === undefined || value === '') return;
    const file = `cpuset.${property}`;
    writes.push({ step: 'write', controller: 'cpuset', file, value, pointer: `${pointer}/${property}` });
  };
  add('cpus', cpus);
  add('mems', mems);
  return writes;
}

/** linux.resources.cpu for the cpu controller of cgroup v1 (config-linux.md, "CPU"; times in microseconds). */
export function cpuStepsV1(cpu: CpuResources): CgroupWrite[] {
  const writes: CgroupWrite[] = [];
  const add = (property: keyof CpuResources, file: string, value: Integer | undefined): void => {
    if (value !== undefined) writes.push(write(property, file, value));
  };
  const addSet = (property: keyof CpuResources, file: string, value: Integer | undefined): void => {
    if (isSet(value)) writes.push({ ...write(property, file, value), retry: true });
  };
  const idle = cpu.idle !== undefined && isSet(cpu.idle);
  // An idle group has no shares to set: they come before it becomes idle and after it ceases to be.
  if (!idle) add('idle', 'cpu.idle', cpu.idle);
  if (isSet(cpu.shares)) {
    checkShares(cpu.shares);
    add('shares', 'cpu.shares', cpu.shares);
  }
  if (idle) add('idle', 'cpu.idle', cpu.idle);
  if (cpu.burst !== undefined) {
    const burst: CgroupWrite = { ...write('burst', 'cpu.cfs_burst_us', cpu.burst), retry: true };
    // Linux before 5.14 has no burst, which is what 0 asks for.
    if (!isSet(cpu.burst)) burst.optional = true;
    writes.push(burst);
  }
  addSet('period', 'cpu.cfs_period_us', cpu.period);
  addSet('quota', 'cpu.cfs_quota_us', cpu.quota);
  addSet('realtimePeriod', 'cpu.rt_period_us', cpu.realtimePeriod);
  addSet('realtimeRuntime', 'cpu.rt_runtime_us', cpu.realtimeRuntime);
  return writes;
}

function checkShares(shares: Integer): void {
  const value = BigInt(shares);
  if (value >= minimumShares && value <= maximumShares) return;
  const [bound, limit] = value < minimumShares ? ['minimum', minimumShares] : ['maximum', maximumShares];
  throw new TsrunError(
    'config',
    `cpu shares ${decimal(shares)}: the ${bound} allowed cpu-shares is ${String(limit)}`,
    {
      pointer: `${pointer}/shares`,
    },
  );
}

function write(property: keyof CpuResources, file: string, value: Integer): CgroupWrite {
  return { step: 'write', controller: 'cpu', file, value: decimal(value), pointer: `${pointer}/${property}` };
}
