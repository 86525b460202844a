import { TsrunError } from '../../core/error.ts';
import { isUnsetSwappiness } from '../../config/resource-values.ts';
import type { Integer, MemoryResources } from '../../config/types.ts';
import {
  type CgroupStep,
  cgroupWrite,
  type CgroupWrite,
  decimal,
  isSet,
  resourcesPointer,
  usageCheck,
} from '../cgroup-write.ts';
import type { PropertyFiles } from './property-files.ts';

const isPositive = (value: Integer): boolean => BigInt(value) > 0n;

/** The file of each property of linux.resources.memory. */
export const memoryFiles = {
  limit: 'memory.max',
  reservation: 'memory.low',
  swap: 'memory.swap.max',
  kernel: isPositive,
  kernelTCP: isPositive,
  swappiness: (value: Integer) => !isUnsetSwappiness(value),
  disableOOMKiller: (disable: boolean) => disable,
  // cgroup v2 always accounts for children.
  useHierarchy: (use: boolean) => !use,
  // It has no file, and is not ignored.
  checkBeforeUpdate: () => false,
} as const satisfies PropertyFiles<MemoryResources>;

/**
 * linux.resources.memory for cgroup v2, which limits swap alone, where the config limits memory and swap together.
 * `current` is the memory limit of an existing cgroup in bytes, -1 for none.
 * @throws TsrunError 'config' with the pointer of a limit of swap that does not fit the one of memory
 */
export function memoryStepsV2(memory: MemoryResources, current = 0n): CgroupStep[] {
  const { limit, reservation, swap } = memory;
  const steps: CgroupStep[] = [];
  if (memory.checkBeforeUpdate === true) {
    steps.push(...usageCheck('limit', limit, 'memory.current'));
    steps.push(...usageCheck('swap', swap, 'memory.current', 'memory.swap.current'));
  }
  steps.push(...swapSteps(isSet(limit) ? memory : { ...memory, limit: current }));
  if (isSet(limit)) steps.push(write('limit', limit));
  if (isSet(reservation)) steps.push(write('reservation', reservation));
  return steps;
}

/** True when a step depends on the memory limit the cgroup has now. */
export function needsCurrentMemory({ limit, swap }: MemoryResources): boolean {
  return isSet(swap) && BigInt(swap) !== -1n && !isSet(limit);
}

function swapSteps({ limit = 0, swap = 0 }: MemoryResources): CgroupWrite[] {
  const memory = BigInt(limit);
  const both = BigInt(swap);
  const property = both === 0n ? 'limit' : 'swap';
  if (both === 0n && memory !== -1n) return [];
  // A kernel without swap has no limit to lift.
  if (both === 0n || both === -1n) return [{ ...write('swap', -1, property), optional: true }];
  if (memory === -1n) return [write('swap', swap)];
  if (memory === 0n) throw swapError('unable to set swap limit without memory limit');
  if (memory < 0n) throw swapError(`invalid memory limit ${decimal(limit)}`);
  if (both < memory) throw swapError('memory+swap limit should be >= memory limit');
  const alone = write('swap', both - memory);
  // A kernel without swap needs no limit of 0.
  return [both === memory ? { ...alone, optional: true } : alone];
}

function swapError(message: string): TsrunError {
  return new TsrunError('config', message, {
    pointer: `${resourcesPointer}/memory/swap`,
    hint: 'swap is the limit of memory and swap together.',
  });
}

/** Writes the file of a property. `from`: the property the value comes from, when it is another one. */
function write(property: 'limit' | 'reservation' | 'swap', value: Integer, from = property): CgroupWrite {
  const text = BigInt(value) === -1n ? 'max' : decimal(value);
  return cgroupWrite(memoryFiles[property], text, 'memory', from);
}
