export type CgroupDriver = 'cgroupfs' | 'systemd' | 'disabled';

/**
 * Where a container's cgroups are. Plain JSON: it is stored in the container's state before anything is
 * created, so that another process can clean up after a runtime that was killed.
 */
export interface CgroupRecord {
  driver: CgroupDriver;
  version: 1 | 2;
  /** The container's absolute directory in each hierarchy, by its first controller; '' for cgroup v2. */
  paths: Record<string, string>;
  /** Controllers mounted together with the first of their hierarchy: `cpuacct` → `cpu`. */
  shared: Record<string, string>;
  /** v2 only: where the hierarchy is mounted; controllers are enabled from there down. */
  mountpoint?: string;
  /** The extended attribute that marks its directories as this container's (ownership-mark.ts). */
  mark?: { name: string; value: string };
  /** Made by a tsrun without privileges over the host: the kernel lets it set no device rules. */
  unprivileged?: true;
}

/** The container's directory for a controller of cgroup v1, or '' for v2; undefined when it has none. */
export function controllerDirectory({ paths, shared }: CgroupRecord, controller: string): string | undefined {
  return paths[shared[controller] ?? controller];
}
