import { TsrunError } from '../core/error.ts';
import { isHugePageSize } from '../config/resource-values.ts';
import type { Integer, Resources } from '../config/types.ts';
import type { CgroupWrite } from './cgroup-write.ts';
import { decimal, resourcesPointer } from './cgroup-write.ts';

/**
 * 0 means no process but the first one, and is written as 1: the first one could not join otherwise on cgroup v2, and
 * the engines know it so of runc. Anything negative lifts the limit.
 */
export function pidsSteps(pids: Resources['pids']): CgroupWrite[] {
  if (pids?.limit === undefined) return [];
  const limit = BigInt(pids.limit);
  const value = limit < 0n ? 'max' : limit === 0n ? '1' : decimal(limit);
  return [write('pids', 'pids.max', value, 'pids/limit')];
}

/** `file` is the last part of the file's name: `limit_in_bytes` on v1, `max` on v2. */
export function hugetlbSteps(limits: Resources['hugepageLimits'] = [], file: string): CgroupWrite[] {
  return limits.flatMap(({ pageSize, limit: bytes }, index) => {
    const at = `hugepageLimits/${String(index)}`;
    // It becomes part of a file name.
    if (!isHugePageSize(pageSize)) {
      throw new TsrunError('config', `invalid huge page size "${pageSize}": expected for example 2MB`, {
        pointer: `${resourcesPointer}/${at}/pageSize`,
      });
    }
    const value = decimal(bytes);
    return [
      write('hugetlb', `hugetlb.${pageSize}.${file}`, value, `${at}/limit`),
      // Without this one, mmap(2) succeeds and the process gets SIGBUS later. Linux before 5.7 lacks it.
      { ...write('hugetlb', `hugetlb.${pageSize}.rsvd.${file}`, value, `${at}/limit`), optional: true },
    ];
  });
}

export function rdmaSteps(devices: Resources['rdma'] = {}): CgroupWrite[] {
  return Object.entries(devices).flatMap(([device, { hcaHandles, hcaObjects }]) => {
    const limits = [limit('hca_handle', hcaHandles), limit('hca_object', hcaObjects)].flat();
    const value = [device, ...limits].join(' ');
    return limits.length === 0 ? [] : [write('rdma', 'rdma.max', value, `rdma/${pointerPart(device)}`)];
  });
}

/** A property name as part of a JSON pointer (RFC 6901). */
export function pointerPart(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

function limit(name: string, value: Integer | undefined): string[] {
  return value === undefined ? [] : [`${name}=${decimal(value)}`];
}

function write(controller: string, file: string, value: string, at: string): CgroupWrite {
  return { step: 'write', controller, file, value, pointer: `${resourcesPointer}/${at}` };
}
