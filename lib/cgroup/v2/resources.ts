import { TsrunError } from '../../core/error.ts';
import type { Finding } from '../../core/finding.ts';
import { warning } from '../../core/finding.ts';
import { isUnsetSwappiness } from '../../config/resource-values.ts';
import type { Resources } from '../../config/types.ts';
import { cpuStepsV2 } from './cpu.ts';
import { ioStepsV2 } from './io.ts';
import { memoryStepsV2 } from './memory.ts';
import { hugetlbSteps, pidsSteps, pointerPart, rdmaSteps } from '../hugetlb.ts';
import type { CgroupStep, CgroupWrite } from '../cgroup-write.ts';
import { isSet, resourcesPointer } from '../cgroup-write.ts';

/**
 * The limits of linux.resources as writes to cgroup v2 files, in the order they must be made; `unified` comes
 * last and so has the last word. Device rules are apart: on v2 they are a program, not files. `current` is what
 * an existing cgroup has: see cpuStepsV2, memoryStepsV2.
 */
export function resourceStepsV2(
  resources: Resources,
  current: { quota?: string | undefined; memory?: bigint | undefined } = {},
): CgroupStep[] {
  const { cpu = {}, memory = {}, blockIO = {} } = resources;
  return [
    ...cpuStepsV2(cpu, current.quota),
    ...memoryStepsV2(memory, current.memory),
    ...pidsSteps(resources.pids),
    ...ioStepsV2(blockIO),
    ...hugetlbSteps(resources.hugepageLimits, 'max'),
    ...rdmaSteps(resources.rdma),
    ...unifiedSteps(resources.unified),
  ];
}

/** What the configuration asks for and cgroup v2 has no counterpart of. */
export function ignoredOnV2({ memory = {}, cpu = {}, blockIO = {}, network = {} }: Resources): Finding[] {
  const { swappiness } = memory;
  const leafDevices = (blockIO.weightDevice ?? []).some(({ leafWeight }) => isSet(leafWeight));
  const asked: [boolean, string][] = [
    [isSet(memory.kernel) && BigInt(memory.kernel) > 0n, 'memory/kernel'],
    [isSet(memory.kernelTCP) && BigInt(memory.kernelTCP) > 0n, 'memory/kernelTCP'],
    [swappiness !== undefined && !isUnsetSwappiness(swappiness), 'memory/swappiness'],
    [memory.disableOOMKiller === true, 'memory/disableOOMKiller'],
    [memory.useHierarchy === false, 'memory/useHierarchy'],
    [isSet(cpu.realtimeRuntime), 'cpu/realtimeRuntime'],
    [isSet(cpu.realtimePeriod), 'cpu/realtimePeriod'],
    [isSet(blockIO.leafWeight), 'blockIO/leafWeight'],
    [leafDevices, 'blockIO/weightDevice'],
    [isSet(network.classID), 'network/classID'],
    [(network.priorities ?? []).length > 0, 'network/priorities'],
  ];
  return asked
    .filter(([isAsked]) => isAsked)
    .map(([, at]) => warning(`${resourcesPointer}/${at}`, 'cgroup v2 has no such limit'));
}

/** A value may have several lines, each of which is one write. */
function unifiedSteps(unified: Resources['unified'] = {}): CgroupWrite[] {
  return Object.entries(unified).flatMap(([file, text]) => {
    const pointer = `${resourcesPointer}/unified/${pointerPart(file)}`;
    if (file.includes('/')) {
      throw new TsrunError('config', `unified resource "${file}" must be a file name (no slashes)`, {
        pointer,
      });
    }
    const [controller = '', parameter = ''] = file.split(/\.(.*)/s);
    if (controller === '' || parameter === '') {
      throw new TsrunError('config', `unified resource "${file}" must be in the form CONTROLLER.PARAMETER`, {
        pointer,
      });
    }
    const lines = text.split('\n').filter((line) => line !== '');
    return lines.map((value) => ({ step: 'write', controller, file, value, pointer }) as const);
  });
}
