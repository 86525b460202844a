import type { Integer, Resources } from '../config/types.ts';
import { cgroupWrite, type CgroupWrite, decimal } from './cgroup-write.ts';

/** linux.resources.rdma for cgroup v1 and v2: one line a device. */
export function rdmaSteps(devices: Resources['rdma'] = {}): CgroupWrite[] {
  return Object.entries(devices).flatMap(([device, { hcaHandles, hcaObjects }]) => {
    const limits = [...limit('hca_handle', hcaHandles), ...limit('hca_object', hcaObjects)];
    return limits.length === 0
      ? []
      : [cgroupWrite('rdma.max', [device, ...limits].join(' '), 'rdma', device)];
  });
}

function limit(name: string, value: Integer | undefined): string[] {
  return value === undefined ? [] : [`${name}=${decimal(value)}`];
}
