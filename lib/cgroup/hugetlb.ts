import { TsrunError } from '../core/error.ts';
import { pointerTo } from '../core/pointer.ts';
import { isHugePageSize } from '../config/resource-values.ts';
import type { Resources } from '../config/types.ts';
import { cgroupWrite, type CgroupWrite, decimal, resourcesPointer } from './cgroup-write.ts';

/** linux.resources.hugepageLimits. `file` is the last part of the file's name: `limit_in_bytes` on v1, `max` on v2. */
export function hugetlbSteps(
  limits: Resources['hugepageLimits'] = [],
  file: 'limit_in_bytes' | 'max',
): CgroupWrite[] {
  return limits.flatMap(({ pageSize, limit }, index) => {
    const at = ['hugepageLimits', index] as const;
    // It becomes part of a file name.
    if (!isHugePageSize(pageSize)) {
      throw new TsrunError('config', `invalid huge page size "${pageSize}": expected for example 2MB`, {
        pointer: pointerTo(resourcesPointer, ...at, 'pageSize'),
      });
    }
    const write = (name: string): CgroupWrite =>
      cgroupWrite(`hugetlb.${pageSize}.${name}`, decimal(limit), ...at, 'limit');
    // Without a limit of reservations mmap(2) succeeds and the process gets SIGBUS later. Linux before 5.7 has none.
    return [write(file), { ...write(`rsvd.${file}`), optional: true }];
  });
}
