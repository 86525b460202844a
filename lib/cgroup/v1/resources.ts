import { TsrunError } from '../../core/error.ts';
import type { Resources } from '../../config/types.ts';
import { blkioStepsV1 } from './blkio.ts';
import { cpuStepsV1, cpusetSteps } from './cpu.ts';
import { memoryStepsV1 } from './memory.ts';
import { hugetlbSteps, pidsSteps, rdmaSteps } from '../hugetlb.ts';
import type { CgroupStep, CgroupWrite } from '../cgroup-write.ts';
import { decimal, isSet, resourcesPointer } from '../cgroup-write.ts';

/**
 * The limits of linux.resources as writes to cgroup v1 files, in the order they must be made; the device
 * rules are apart (deviceStepsV1). `memoryLimit` is the cgroup's present limit, undefined for a new one.
 */
export function resourceStepsV1(resources: Resources, memoryLimit?: bigint): CgroupStep[] {
  if (resources.unified !== undefined && Object.keys(resources.unified).length > 0) {
    throw new TsrunError('config', 'invalid configuration: cannot use unified on cgroup v1', {
      pointer: `${resourcesPointer}/unified`,
    });
  }
  const { cpu = {}, memory = {}, blockIO = {} } = resources;
  return [
    ...cpusetSteps(cpu),
    ...cpuStepsV1(cpu),
    ...memoryStepsV1(memory, memoryLimit),
    ...pidsSteps(resources.pids),
    ...blkioStepsV1(blockIO),
    ...hugetlbSteps(resources.hugepageLimits, 'limit_in_bytes'),
    ...networkSteps(resources.network),
    ...rdmaSteps(resources.rdma),
  ];
}

function networkSteps({ classID, priorities = [] }: NonNullable<Resources['network']> = {}): CgroupWrite[] {
  const writes: CgroupWrite[] = [];
  const add = (controller: string, file: string, value: string, at: string): void => {
    const pointer = `${resourcesPointer}/network/${at}`;
    writes.push({ step: 'write', controller, file, value, pointer });
  };
  if (isSet(classID)) add('net_cls', 'net_cls.classid', decimal(classID), 'classID');
  for (const [index, { name, priority }] of priorities.entries()) {
    add('net_prio', 'net_prio.ifpriomap', `${name} ${decimal(priority)}`, `priorities/${String(index)}`);
  }
  return writes;
}
