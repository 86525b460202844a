import type { Resources } from '../config/types.ts';
import { cgroupWrite, type CgroupWrite, decimal } from './cgroup-write.ts';

/**
 * linux.resources.pids for cgroup v1 and v2. A negative limit is none. A limit of 0 is written as 1, as runc does:
 * with 0 the container's first process could not join the cgroup on v2. (`update` leaves out a 0 of its caller's.)
 */
export function pidsSteps(pids: Resources['pids']): CgroupWrite[] {
  if (pids?.limit === undefined) return [];
  const limit = BigInt(pids.limit);
  const value = limit < 0n ? 'max' : limit === 0n ? '1' : decimal(limit);
  return [cgroupWrite('pids.max', value, 'pids', 'limit')];
}
