import { TsrunError } from '../errors.ts';
import type { Integer, Resources } from '../spec/types.ts';
import { blkioStepsV1 } from './blkio-v1.ts';
import { cpuStepsV1, cpusetStepsV1 } from './cpu-v1.ts';
import { memoryStepsV1 } from './memory-v1.ts';
import type { CgroupStep, CgroupWrite } from './steps.ts';
import { decimal, isSet, resourcesPointer } from './steps.ts';

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
    ...cpusetStepsV1(cpu),
    ...cpuStepsV1(cpu),
    ...memoryStepsV1(memory, memoryLimit),
    ...pidsSteps(resources.pids),
    ...blkioStepsV1(blockIO),
    ...hugetlbSteps(resources.hugepageLimits),
    ...networkSteps(resources.network),
    ...rdmaSteps(resources.rdma),
  ];
}

/** 0 is a limit here: no further process at all. Anything negative lifts it. */
function pidsSteps(pids: Resources['pids']): CgroupWrite[] {
  if (pids?.limit === undefined) return [];
  const value = BigInt(pids.limit) < 0n ? 'max' : decimal(pids.limit);
  return [write('pids', 'pids.max', value, 'pids/limit')];
}

function hugetlbSteps(limits: Resources['hugepageLimits'] = []): CgroupWrite[] {
  return limits.flatMap(({ pageSize, limit }, index) => {
    const at = `hugepageLimits/${String(index)}`;
    // It becomes part of a file name.
    if (!/^[1-9][0-9]*[KMG]B$/.test(pageSize)) {
      throw new TsrunError('config', `invalid huge page size "${pageSize}": expected for example 2MB`, {
        pointer: `${resourcesPointer}/${at}/pageSize`,
      });
    }
    const value = decimal(limit);
    const file = (kind: string): string => `hugetlb.${pageSize}.${kind}limit_in_bytes`;
    return [
      write('hugetlb', file(''), value, `${at}/limit`),
      // Without this one, mmap(2) succeeds and the process gets SIGBUS later. Linux before 5.7 lacks it.
      { ...write('hugetlb', file('rsvd.'), value, `${at}/limit`), optional: true },
    ];
  });
}

function networkSteps({ classID, priorities = [] }: NonNullable<Resources['network']> = {}): CgroupWrite[] {
  const writes: CgroupWrite[] = [];
  if (isSet(classID)) writes.push(write('net_cls', 'net_cls.classid', decimal(classID), 'network/classID'));
  for (const [index, { name, priority }] of priorities.entries()) {
    const value = `${name} ${decimal(priority)}`;
    writes.push(write('net_prio', 'net_prio.ifpriomap', value, `network/priorities/${String(index)}`));
  }
  return writes;
}

function rdmaSteps(devices: Resources['rdma'] = {}): CgroupWrite[] {
  return Object.entries(devices).flatMap(([device, { hcaHandles, hcaObjects }]) => {
    const limits = [limit('hca_handle', hcaHandles), limit('hca_object', hcaObjects)].flat();
    const at = `rdma/${device.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    return limits.length === 0 ? [] : [write('rdma', 'rdma.max', [device, ...limits].join(' '), at)];
  });
}

function limit(name: string, value: Integer | undefined): string[] {
  return value === undefined ? [] : [`${name}=${decimal(value)}`];
}

function write(controller: string, file: string, value: string, at: string): CgroupWrite {
  return { step: 'write', controller, file, value, pointer: `${resourcesPointer}/${at}` };
}
