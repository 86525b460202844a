import type { CpuResources, Integer } from '../../config/types.ts';
import { cpusetSteps } from '../v1/cpu.ts';
import type { CgroupWrite } from '../cgroup-write.ts';
import { decimal, isSet, resourcesPointer } from '../cgroup-write.ts';

const pointer = `${resourcesPointer}/cpu`;

/**
 * linux.resources.cpu for cgroup v2; times in microseconds. `currentQuota` is the first word of cpu.max of an
 * existing cgroup: the period can only be written together with the quota.
 */
export function cpuStepsV2(cpu: CpuResources, currentQuota = 'max'): CgroupWrite[] {
  const writes: CgroupWrite[] = [];
  const add = (property: keyof CpuResources, file: string, value: string): CgroupWrite => {
    const write: CgroupWrite = {
      step: 'write',
      controller: 'cpu',
      file,
      value,
      pointer: `${pointer}/${property}`,
    };
    writes.push(write);
    return write;
  };
  const idle = cpu.idle !== undefined && isSet(cpu.idle);
  // An idle group has no weight to set.
  if (cpu.idle !== undefined && !idle) add('idle', 'cpu.idle', decimal(cpu.idle));
  if (isSet(cpu.shares)) add('shares', 'cpu.weight', String(cpuWeight(cpu.shares)));
  if (cpu.idle !== undefined && idle) add('idle', 'cpu.idle', decimal(cpu.idle));
  if (cpu.burst !== undefined) {
    const burst = add('burst', 'cpu.max.burst', decimal(cpu.burst));
    burst.retry = true;
    if (!isSet(cpu.burst)) burst.optional = true;
  }
  const { quota, period } = cpu;
  if (isSet(quota) || isSet(period)) {
    const first = isSet(quota) ? (BigInt(quota) < 0n ? 'max' : decimal(quota)) : currentQuota;
    const value = isSet(period) ? `${first} ${decimal(period)}` : first;
    add(isSet(quota) ? 'quota' : 'period', 'cpu.max', value).retry = true;
  }
  return [...cpusetSteps(cpu), ...writes];
}

/** True when a step depends on the quota the cgroup has now. */
export function needsCurrentQuota({ quota, period }: CpuResources): boolean {
  return isSet(period) && !isSet(quota);
}

/**
 * The cpu.weight (1 to 10000, default 100) of cpu.shares (2 to 262144, default 1024): a curve through the two
 * minimums, defaults and maximums, so that a container of the default weight competes equally with the
 * processes that have no container.
 */
export function cpuWeight(shares: Integer): number {
  const value = Number(shares);
  if (value <= 2) return 1;
  if (value >= 262_144) return 10_000;
  const log = Math.log2(value);
  return Math.ceil(10 ** ((log * log + 125 * log) / 612 - 7 / 34));
}
