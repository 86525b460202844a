import { TsrunError } from '../../core/error.ts';
import { pointerTo } from '../../core/pointer.ts';
import type { Finding } from '../../core/finding.ts';
import type { Resources } from '../../config/types.ts';
import { cpuFiles, cpuStepsV2 } from './cpu.ts';
import { ioFiles, ioStepsV2 } from './io.ts';
import { memoryFiles, memoryStepsV2 } from './memory.ts';
import { ignoredProperties, ignoredProperty, type PropertyFiles } from './property-files.ts';
import {
  type CgroupStep,
  cgroupWrite,
  type CgroupWrite,
  controllerOf,
  isSet,
  type LimitGroup,
  resourcesPointer,
} from '../cgroup-write.ts';
import { hugetlbSteps } from '../hugetlb.ts';
import { pidsSteps } from '../pids.ts';
import { rdmaSteps } from '../rdma.ts';

/** What an existing cgroup has: see cpuStepsV2(), memoryStepsV2(). */
interface CurrentLimits {
  quota?: string | undefined;
  memory?: bigint | undefined;
}

type StepsByGroup = {
  readonly [Group in LimitGroup]: (
    limits: NonNullable<Resources[Group]>,
    current: CurrentLimits,
  ) => CgroupStep[];
};

/** What makes the writes of each group of linux.resources, in the order they must be made. */
const stepsByGroup: StepsByGroup = {
  cpu: (cpu, { quota }) => cpuStepsV2(cpu, quota),
  memory: (memory, current) => memoryStepsV2(memory, current.memory),
  pids: pidsSteps,
  blockIO: ioStepsV2,
  hugepageLimits: (limits) => hugetlbSteps(limits, 'max'),
  rdma: rdmaSteps,
  network: () => [],
  // It has the last word: its files may be those of the others.
  unified: unifiedSteps,
};

/** The groups of linux.resources that are limits, on v1 as well. */
export const limitGroups = Object.keys(stepsByGroup) as LimitGroup[];

const networkFiles: PropertyFiles<NonNullable<Resources['network']>> = {
  classID: isSet,
  priorities: (list) => list.length > 0,
};

/**
 * The limits of linux.resources as writes to cgroup v2 files, in the order they must be made. Device rules are apart:
 * on v2 they are a program, not files.
 * @throws TsrunError 'config' with the pointer of what cgroup v2 cannot have
 */
export function resourceStepsV2(resources: Resources, current: CurrentLimits = {}): CgroupStep[] {
  return limitGroups.flatMap((group) => groupSteps(group, resources[group], current));
}

function groupSteps<Group extends LimitGroup>(
  group: Group,
  limits: Resources[Group],
  current: CurrentLimits,
): CgroupStep[] {
  return limits === undefined ? [] : stepsByGroup[group](limits, current);
}

/** Warnings for what the config asks for and cgroup v2 has no file for. */
export function ignoredOnV2({ memory = {}, cpu = {}, blockIO = {}, network = {} }: Resources): Finding[] {
  const hasLeafWeight = (blockIO.weightDevice ?? []).some(({ leafWeight }) => isSet(leafWeight));
  return [
    ...ignoredProperties('memory', memory, memoryFiles),
    ...ignoredProperties('cpu', cpu, cpuFiles),
    ...ignoredProperties('blockIO', blockIO, ioFiles),
    ...(hasLeafWeight ? [ignoredProperty('blockIO', 'weightDevice')] : []),
    ...ignoredProperties('network', network, networkFiles),
  ];
}

/** A value may have several lines, each of which is one write. */
function unifiedSteps(unified: NonNullable<Resources['unified']>): CgroupWrite[] {
  return Object.entries(unified).flatMap(([file, text]) => {
    const pointer = pointerTo(resourcesPointer, 'unified', file);
    if (file.includes('/')) {
      throw new TsrunError('config', `unified resource "${file}" must be a file name (no slashes)`, {
        pointer,
      });
    }
    const controller = controllerOf(file);
    if (controller === '' || file.length <= controller.length + 1) {
      throw new TsrunError('config', `unified resource "${file}" must be in the form CONTROLLER.PARAMETER`, {
        pointer,
      });
    }
    const lines = text.split('\n').filter((line) => line !== '');
    return lines.map((value) => cgroupWrite(file, value, 'unified', file));
  });
}
