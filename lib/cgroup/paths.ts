import { TsrunError } from '../errors.ts';
import type { CgroupLayout } from '../plan/types.ts';
import type { CgroupDriver, CgroupRecord } from './types.ts';

export interface CgroupRequest {
  /** linux.cgroupsPath. */
  cgroupsPath?: string | undefined;
  containerId: string;
  driver: CgroupDriver;
  /** False when tsrun does not act as root over the host (HostFacts.privileged). */
  privileged: boolean;
  /** tsrun's own cgroup in each hierarchy, by controller, '' for v2 (/proc/self/cgroup, cgroups(7)). */
  ownCgroups: ReadonlyMap<string, string>;
}

/** Decides where the container's cgroups are; creates nothing. */
export function resolveCgroup(layout: CgroupLayout, request: CgroupRequest): CgroupRecord {
  if (request.driver === 'disabled' || layout.mode === 'none') {
    return { driver: 'disabled', version: 1, paths: {}, shared: {} };
  }
  throw new TsrunError('unsupported', `cgroup driver ${request.driver} is not available`);
}
