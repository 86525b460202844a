import type { CpuResources, Integer } from '../../config/types.ts';
import { cgroupWrite, type CgroupWrite, decimal, isSet } from '../cgroup-write.ts';
import { cpusetSteps } from '../cpuset.ts';
import type { PropertyFiles } from './property-files.ts';

/** The file of each property of linux.resources.cpu. */
export const cpuFiles = {
  shares: 'cpu.weight',
  quota: 'cpu.max',
  period: 'cpu.max',
  burst: 'cpu.max.burst',
  idle: 'cpu.idle',
  cpus: 'cpuset.cpus',
  mems: 'cpuset.mems',
  realtimeRuntime: isSet,
  realtimePeriod: isSet,
} as const satisfies PropertyFiles<CpuResources>;

/**
 * linux.resources.cpu for cgroup v2; times in microseconds. `currentQuota` is the first word of cpu.max of an
 * existing cgroup: the period can only be written together with the quota.
 */
export function cpuStepsV2(cpu: CpuResources, currentQuota = 'max'): CgroupWrite[] {
  const { idle, shares, burst, quota, period } = cpu;
  const writes = cpusetSteps(cpu);
  const add = (property: 'idle' | 'shares' | 'burst' | 'quota' | 'period', value: string): CgroupWrite => {
    const write = cgroupWrite(cpuFiles[property], value, 'cpu', property);
    writes.push(write);
    return write;
  };
  const becomesIdle = isSet(idle);
  // An idle group takes no weight: it is written before it becomes idle, or after it has ceased to be.
  if (idle !== undefined && !becomesIdle) add('idle', decimal(idle));
  if (isSet(shares)) add('shares', String(cpuWeight(shares)));
  if (becomesIdle) add('idle', decimal(idle));
  if (burst !== undefined) {
    const write = add('burst', decimal(burst));
    write.retry = true;
    // 0 is none, as on Linux before 5.14, which lacks the file.
    if (!isSet(burst)) write.optional = true;
  }
  if (isSet(quota) || isSet(period)) {
    const first = isSet(quota) ? (BigInt(quota) < 0n ? 'max' : decimal(quota)) : currentQuota;
    const value = isSet(period) ? `${first} ${decimal(period)}` : first;
    add(isSet(quota) ? 'quota' : 'period', value).retry = true;
  }
  return writes;
}

/** True when a step depends on the quota the cgroup has now. */
export function needsCurrentQuota({ quota, period }: CpuResources): boolean {
  return isSet(period) && !isSet(quota);
}

/**
 * The cpu.weight (1 to 10000, default 100) for cpu.shares (2 to 262144, default 1024): a curve through the two
 * minimums, defaults and maximums, so that a container with the default shares competes as an equal with processes
 * that are in no container.
 */
export function cpuWeight(shares: Integer): number {
  const value = Number(shares);
  if (value <= 2) return 1;
  if (value >= 262_144) return 10_000;
  const log = Math.log2(value);
  return Math.ceil(10 ** ((log * log + 125 * log) / 612 - 7 / 34));
}
