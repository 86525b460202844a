import { cgroupManager } from '../cgroup/cgroup-manager.ts';
import { stillMarked } from '../cgroup/ownership-mark.ts';
import type { CgroupManager } from '../cgroup/manager.ts';
import type { ContainerRecord } from './record.ts';

/**
 * The cgroups that the container still owns; undefined when there are none.
 *
 * @throws TsrunError 'system' when the kernel does not tell whose one of them is
 */
export function ownCgroups({ cgroup, ownsCgroup }: ContainerRecord): CgroupManager | undefined {
  const own = cgroup !== undefined && ownsCgroup ? stillMarked(cgroup) : undefined;
  return own && cgroupManager(own);
}
