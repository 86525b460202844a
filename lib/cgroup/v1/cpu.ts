import { TsrunError } from '../../core/error.ts';
import type { CpuResources, Integer } from '../../config/types.ts';
import { cgroupWrite, type CgroupWrite, decimal, isSet, resourcesPointer } from '../cgroup-write.ts';

/** The kernel silently clamps shares to this range. */
const minimumShares = 2n;
const maximumShares = 262_144n;

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
  // An idle group takes no shares: they are written before it becomes idle, or after it has ceased to be.
  if (!idle) add('idle', 'cpu.idle', cpu.idle);
  if (isSet(cpu.shares)) {
    checkShares(cpu.shares);
    add('shares', 'cpu.shares', cpu.shares);
  }
  if (idle) add('idle', 'cpu.idle', cpu.idle);
  if (cpu.burst !== undefined) {
    const burst: CgroupWrite = { ...write('burst', 'cpu.cfs_burst_us', cpu.burst), retry: true };
    // 0 is none, as on Linux before 5.14, which lacks the file.
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
      pointer: `${resourcesPointer}/cpu/shares`,
    },
  );
}

function write(property: keyof CpuResources, file: string, value: Integer): CgroupWrite {
  return cgroupWrite(file, decimal(value), 'cpu', property);
}
