import type { PlanWarning } from '../plan/types.ts';
import type { Device, Resources } from '../spec/types.ts';

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
}

/** The life of a container's cgroups. All paths are the host's; every function is synchronous. */
export interface CgroupManager {
  /**
   * Makes the directories, their parents included. On failure removes those it made and throws. A cgroup
   * that exists is taken over when it has no process and is not frozen; otherwise it is an error, and its
   * processes are somebody else's: a caller whose create() failed must call neither kill() nor remove().
   */
  create(): void;
  /**
   * Writes the limits, and on v1 the device rules. `devices` is linux.devices: a default device with the
   * same path loses its default rule. Before join(), so that the process never runs without its limits.
   * Throws an error with the JSON pointer of the property the kernel refused.
   */
  apply(resources: Resources | undefined, devices?: readonly Device[]): PlanWarning[];
  /** Moves a process (all its threads) into every hierarchy. */
  join(pid: number): void;
  /** Pids of all processes in the cgroup and below it; empty when it does not exist. */
  processes(): number[];
  /** Stops all processes; returns when all are stopped. */
  freeze(): void;
  thaw(): void;
  frozen(): boolean;
  /** Sends `signal` to every process, also to those a fork bomb is making meanwhile. SIGKILL also thaws. */
  kill(signal: number): void;
  /** Removes the cgroup and all below it, waiting for killed processes to be gone. Fine when it does not exist. */
  remove(): void;
  exists(): boolean;
}
