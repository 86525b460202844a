import { isUnsetSwappiness } from '../../config/resource-values.ts';
import type { Integer, MemoryResources } from '../../config/types.ts';
import {
  type CgroupStep,
  cgroupWrite,
  type CgroupWrite,
  decimal,
  isSet,
  usageCheck,
  type UsageCheck,
} from '../cgroup-write.ts';

/** What a limit file reads when there is no limit: the largest number of whole pages. */
const noLimit = '9223372036854771712';

/**
 * linux.resources.memory for cgroup v1 (config-linux.md, "Memory"). `current` is the cgroup's present limit in bytes,
 * undefined for none. It decides which of the two limits is written first: the kernel accepts no memory limit above that
 * of memory and swap together.
 */
export function memoryStepsV1(memory: MemoryResources, current?: bigint): CgroupStep[] {
  const steps: CgroupStep[] = [];
  if (memory.checkBeforeUpdate === true) steps.push(...checks(memory));
  steps.push(...limits(memory, current));
  if (isSet(memory.kernel)) {
    const kernel = write('kernel', 'memory.kmem.limit_in_bytes', memory.kernel);
    if (isUnlimited(memory.kernel)) kernel.optional = true;
    else kernel.unused = { reads: noLimit, message: 'this kernel does not limit kernel memory separately' };
    steps.push(kernel);
  }
  if (isSet(memory.kernelTCP)) {
    const kernelTCP = write('kernelTCP', 'memory.kmem.tcp.limit_in_bytes', memory.kernelTCP);
    if (isUnlimited(memory.kernelTCP)) kernelTCP.optional = true;
    steps.push(kernelTCP);
  }
  if (isSet(memory.reservation)) {
    steps.push(write('reservation', 'memory.soft_limit_in_bytes', memory.reservation));
  }
  if (memory.useHierarchy !== undefined) {
    steps.push(write('useHierarchy', 'memory.use_hierarchy', memory.useHierarchy ? 1 : 0));
  }
  if (memory.disableOOMKiller !== undefined) {
    steps.push(write('disableOOMKiller', 'memory.oom_control', memory.disableOOMKiller ? 1 : 0));
  }
  if (memory.swappiness !== undefined && !isUnsetSwappiness(memory.swappiness)) {
    steps.push(write('swappiness', 'memory.swappiness', memory.swappiness));
  }
  return steps;
}

/** True when the order of the limits depends on the limit the cgroup has now. */
export function needsCurrentLimit({ limit, swap }: MemoryResources): boolean {
  return isSet(limit) && isSet(swap);
}

function limits({ limit, swap }: MemoryResources, current: bigint | undefined): CgroupWrite[] {
  const writes: CgroupWrite[] = [];
  if (isSet(limit)) writes.push(write('limit', 'memory.limit_in_bytes', limit));
  if (isSet(swap)) {
    const both = write('swap', 'memory.memsw.limit_in_bytes', swap);
    // A kernel without swap accounting has no limit to lift.
    if (isUnlimited(swap)) both.optional = true;
    const first = isUnlimited(swap) || (current !== undefined && current <= BigInt(swap));
    if (first) writes.unshift(both);
    else writes.push(both);
  } else if (isSet(limit) && isUnlimited(limit)) {
    writes.unshift({ ...write('limit', 'memory.memsw.limit_in_bytes', -1), optional: true });
  }
  return writes;
}

function checks({ limit, swap }: MemoryResources): UsageCheck[] {
  return [
    ...usageCheck('limit', limit, 'memory.usage_in_bytes'),
    ...usageCheck('swap', swap, 'memory.memsw.usage_in_bytes'),
  ];
}

function isUnlimited(value: Integer): boolean {
  return BigInt(value) === -1n;
}

function write(property: keyof MemoryResources, file: string, value: Integer): CgroupWrite {
  return cgroupWrite(file, decimal(value), 'memory', property);
}
