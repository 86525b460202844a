import { TsrunError } from '../../core/error.ts';
import type { Resources } from '../../config/types.ts';
import { blkioStepsV1 } from './blkio.ts';
import { cpuStepsV1 } from './cpu.ts';
import { memoryStepsV1 } from './memory.ts';
import {
  type CgroupStep,
  cgroupWrite,
  type CgroupWrite,
  decimal,
  isSet,
  type LimitGroup,
  resourcesPointer,
} from '../cgroup-write.ts';
import { cpusetSteps } from '../cpuset.ts';
import { hugetlbSteps } from '../hugetlb.ts';
import { pidsSteps } from '../pids.ts';
import { rdmaSteps } from '../rdma.ts';

type StepsByGroup = {
  readonly [Group in LimitGroup]: (
    limits: NonNullable<Resources[Group]>,
    memoryLimit?: bigint,
  ) => CgroupStep[];
};

/** What makes the writes of each group of linux.resources, in the order they must be made. */
const stepsByGroup: StepsByGroup = {
  unified: refuseUnified,
  cpu: (cpu) => [...cpusetSteps(cpu), ...cpuStepsV1(cpu)],
  memory: memoryStepsV1,
  pids: pidsSteps,
  blockIO: blkioStepsV1,
  hugepageLimits: (limits) => hugetlbSteps(limits, 'limit_in_bytes'),
  network: networkSteps,
  rdma: rdmaSteps,
};

/**
 * The limits of linux.resources as writes to cgroup v1 files, in the order they must be made. The device rules are
 * apart: deviceStepsV1().
 * @param memoryLimit the cgroup's present memory limit in bytes, undefined for a new one
 * @throws TsrunError 'config' with the pointer of what cgroup v1 cannot have
 */
export function resourceStepsV1(resources: Resources, memoryLimit?: bigint): CgroupStep[] {
  const groups = Object.keys(stepsByGroup) as LimitGroup[];
  return groups.flatMap((group) => groupSteps(group, resources[group], memoryLimit));
}

function groupSteps<Group extends LimitGroup>(
  group: Group,
  limits: Resources[Group],
  memoryLimit: bigint | undefined,
): CgroupStep[] {
  return limits === undefined ? [] : stepsByGroup[group](limits, memoryLimit);
}

function refuseUnified(unified: NonNullable<Resources['unified']>): [] {
  if (Object.keys(unified).length === 0) return [];
  throw new TsrunError('config', 'invalid configuration: cannot use unified on cgroup v1', {
    pointer: `${resourcesPointer}/unified`,
  });
}

function networkSteps({ classID, priorities = [] }: NonNullable<Resources['network']>): CgroupWrite[] {
  return [
    ...(isSet(classID) ? [cgroupWrite('net_cls.classid', decimal(classID), 'network', 'classID')] : []),
    ...priorities.map(({ name, priority }, index) =>
      cgroupWrite('net_prio.ifpriomap', `${name} ${decimal(priority)}`, 'network', 'priorities', index),
    ),
  ];
}
