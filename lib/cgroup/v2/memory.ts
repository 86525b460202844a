import { TsrunError } from '../../core/error.ts';
import type { Integer, MemoryResources } from '../../config/types.ts';
import type { CgroupStep, CgroupWrite } from '../cgroup-write.ts';
import { decimal, isSet, resourcesPointer } from '../cgroup-write.ts';

const pointer = `${resourcesPointer}/memory`;

/**
 * linux.resources.memory for cgroup v2, which limits swap by itself and not together with memory. `current` is the
 * memory limit of an existing cgroup, -1 for none.
 */
export function memoryStepsV2(memory: MemoryResources, current = 0n): CgroupStep[] {
  const { limit, reservation } = memory;
  const steps: CgroupStep[] = memory.checkBeforeUpdate === true ? checks(memory) : [];
  steps.push(...swapSteps(isSet(limit) ? memory : { ...memory, limit: current }));
  if (isSet(limit)) steps.push(write('limit', 'memory.max', limit));
  if (isSet(reservation)) steps.push(write('reservation', 'memory.low', reservation));
  return steps;
}

/** True when a step depends on the memory limit the cgroup has now. */
export function needsCurrentMemory({ limit, swap }: MemoryResources): boolean {
  return isSet(swap) && BigInt(swap) !== -1n && !isSet(limit);
}

/** `swap` of the configuration is memory and swap together; memory.swap.max is swap alone. */
function swapSteps({ limit = 0, swap = 0 }: MemoryResources): CgroupWrite[] {
  const memory = BigInt(limit);
  const both = BigInt(swap);
  const property = both === 0n ? 'limit' : 'swap';
  if (both === 0n && memory !== -1n) return [];
  // Without swap there is nothing to lift, and below nothing to forbid.
  if (both === 0n || both === -1n) return [{ ...write(property, 'memory.swap.max', -1), optional: true }];
  if (memory === -1n) return [write(property, 'memory.swap.max', swap)];
  if (memory === 0n) throw swapError('unable to set swap limit without memory limit');
  if (memory < 0n) throw swapError(`invalid memory limit ${decimal(limit)}`);
  if (both < memory) throw swapError('memory+swap limit should be >= memory limit');
  const alone = write(property, 'memory.swap.max', both - memory);
  return [both === memory ? { ...alone, optional: true } : alone];
}

function swapError(message: string): TsrunError {
  return new TsrunError('config', message, {
    pointer: `${pointer}/swap`,
    hint: 'swap is the limit of memory and swap together.',
  });
}

function checks({ limit, swap }: MemoryResources): CgroupStep[] {
  const check = (name: string, value: Integer | undefined, ...files: string[]): CgroupStep[] =>
    isSet(value) && BigInt(value) > 0n
      ? [{ step: 'check', controller: 'memory', files, limit: BigInt(value), pointer: `${pointer}/${name}` }]
      : [];
  return [
    ...check('limit', limit, 'memory.current'),
    ...check('swap', swap, 'memory.current', 'memory.swap.current'),
  ];
}

function write(property: string, file: string, value: Integer): CgroupWrite {
  const text = BigInt(value) === -1n ? 'max' : decimal(value);
  return { step: 'write', controller: 'memory', file, value: text, pointer: `${pointer}/${property}` };
}
