import { cgroupManager } from '../cgroup/cgroup-manager.ts';
import { stillMarked } from '../cgroup/ownership-mark.ts';
import type { CgroupManager } from '../cgroup/manager.ts';
import type { ContainerRecord } from './record.ts';

/** The cgroups that the container owns; undefined when it has none, or owns none any more. */
export function ownCgroups({ cgroup, ownsCgroup }: ContainerRecord): CgroupManager | undefined {
  const own = cgroup !== undefined && ownsCgroup ? stillMarked(cgroup) : undefined;
  return own && cgroupManager(own);
}
