import type { Finding } from '../core/finding.ts';
import type { DeviceRule, Resources } from '../config/types.ts';

/**
 * How a process with one thread moves itself into the cgroups. The kernel has no other thread to stop then, so it
 * takes no global lock.
 */
export interface SelfJoin {
  /**
   * The v1 files to write "0" to, in this order. The kernel checks the credentials of the opener: the writer may be in
   * another user namespace by then.
   */
  tasks: string[];
  /** The v2 directory for CLONE_INTO_CGROUP, in the hybrid layout too. */
  cloneInto: string | undefined;
}

/**
 * The cgroups of one container, from their making to their removal. Paths are the host's. A system call that fails
 * throws TsrunError 'system'.
 */
export interface CgroupManager {
  /**
   * Makes the directories and their missing parents, all or none. A cgroup that exists is taken over when it has no
   * process and no child, and is not frozen. A caller whose create() failed must call neither kill() nor remove(): the
   * processes are somebody else's.
   * @throws TsrunError 'config' with /linux/cgroupsPath for a cgroup that is in use
   */
  create(): void;
  /**
   * Writes the limits and the device rules of a new container, before a process joins. Needed without resources, too:
   * the default device rules apply to every container. Returns what the kernel ignores.
   * @throws TsrunError with the JSON pointer of the property the kernel refused
   */
  apply(resources: Resources | undefined): Finding[];
  /**
   * Changes the limits of a running container, and its device rules if `resources` has some: all of them or none.
   * Limits that `resources` does not name stay. Returns what the kernel ignores.
   * @param presentDevices the rules the container has now; undefined when they are unknown
   * @throws TsrunError with the JSON pointer of the property the kernel refused; it says what could not be undone
   */
  update(resources: Resources, presentDevices?: readonly DeviceRule[]): Finding[];
  /** Delegates the cgroup to a user of the host (cgroups(7), "Delegation"). Does nothing on v1, where that is not safe. */
  delegate(uid: number): void;
  /**
   * Moves a process with all its threads into every hierarchy. The kernel blocks every fork of the host meanwhile and
   * waits for an RCU grace period, 4 to 20 ms; selfJoin() avoids both.
   */
  join(pid: number): void;
  /** How a process moves itself into the cgroups. */
  selfJoin(): SelfJoin;
  /** Pids of all processes in the cgroup and below it; none when it does not exist. */
  processes(): number[];
  /**
   * Freezes all processes and waits until they have stopped.
   * @throws TsrunError 'unsupported' without a freezer, 'not-found' without the cgroup, 'state' when tsrun is in it
   */
  freeze(): void;
  /** @throws TsrunError 'unsupported' without a freezer, 'not-found' without the cgroup */
  thaw(): void;
  /** True when all processes have stopped because the cgroup was frozen. */
  frozen(): boolean;
  /**
   * Sends `signal` to every process, also to those that a fork bomb makes meanwhile. SIGKILL thaws the cgroup, too.
   * @throws TsrunError 'state' when tsrun itself is one of them
   */
  kill(signal: number): void;
  /** Removes the cgroup and all below it, and waits for killed processes to end. A missing cgroup is no error. */
  remove(): void;
}
