import type { LinuxFeatures } from '../config/types.ts';

/** What the cgroup managers can do, for `tsrun features` (features-linux.md, "Cgroup"). */
export const cgroupSupport: Required<NonNullable<LinuxFeatures['cgroup']>> = {
  v1: true,
  v2: true,
  /** The managers that ask systemd for a scope: of the system, and of the user. */
  systemd: false,
  systemdUser: false,
  rdma: true,
};
