import type { Finding } from '../core/finding.ts';
import type { DeviceRule, Resources } from '../config/types.ts';

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
  /** The extended attribute by which its directories are known to be this container's (mark.ts). */
  mark?: { name: string; value: string };
  /** Made by a tsrun that is not root over the host: the kernel lets it set no device rules. */
  unprivileged?: true;
}

/**
 * What a process with one thread does to move itself into the cgroups. The kernel then needs to stop no
 * other thread, so it takes no global lock. A file opened by root may be written by any process of root's
 * making, whatever user namespace it is in by then: the opener's credentials count.
 */
export interface SelfJoin {
  /** The v1 files to write "0" to, in this order. */
  tasks: string[];
  /** The v2 directory for CLONE_INTO_CGROUP, in the hybrid layout too. */
  cloneInto: string | undefined;
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
   * Writes the limits and the device rules of a new container; needed also when there are no resources.
   * Before a process joins, so that none runs without them. Throws an error with the JSON pointer of the
   * property the kernel refused.
   */
  apply(resources: Resources | undefined): Finding[];
  /**
   * Changes the limits of a running container, and its device rules if `resources` has some, all or none of
   * them; what it does not name stays as it is. Throws an error with the JSON pointer of the property the
   * kernel refused, which names what could not be taken back.
   *
   * @param presentDevices the rules the container has now; undefined when nobody knows.
   */
  update(resources: Resources, presentDevices?: readonly DeviceRule[]): Finding[];
  /** Gives the cgroup to a user of the host, where that is safe: not on v1 (cgroups(7), "Delegation"). */
  give(uid: number): void;
  /**
   * Moves a process (all its threads) into every hierarchy. The kernel stops every fork of the host for
   * that and waits for an RCU grace period: 4 to 20 ms, once. `selfJoin` has none of it.
   */
  join(pid: number): void;
  /** How a process moves itself in, without the cost of join(). */
  selfJoin(): SelfJoin;
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
