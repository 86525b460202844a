import type { TsrunError } from '../core/error.ts';
import type { Mount } from '../config/types.ts';
import type { Finding } from '../core/finding.ts';
import type { Op } from './wire.ts';

/** What a command asks of a plan for any process besides the config. */
export interface ProcessOptions {
  /** Absolute path of the rootfs, links resolved. */
  rootfs: string;
  containerId: string;
  noNewKeyring: boolean;
  /** Descriptors from 3 on that the process keeps (LISTEN_FDS and --preserve-fds together). */
  preserveFds: number;
  /** How the init waits before execve: for `start`, or for the engine that runs it right away. */
  gate: 'start' | 'engine';
  /**
   * Files of members (`tasks`) of the cgroups the process moves itself into. Empty when the engine does it, or
   * when there are none.
   */
  cgroupTasks?: readonly string[];
  /** The process is cloned into a cgroup v2, which the init has in its slot. */
  cloneIntoCgroup?: boolean;
  /** Environment added by the command (LISTEN_FDS, NOTIFY_SOCKET …), after process.env. */
  extraEnv: readonly string[];
  /** linux.seccomp, compiled. Must be there when the config has a profile. */
  seccomp?: SeccompFilter | undefined;
}

/** What a command asks of the plan of a container besides the config. */
export interface PlanOptions extends ProcessOptions {
  /** Absolute path of the bundle. */
  bundle: string;
  noPivot: boolean;
  /** The container's directory in each hierarchy, by its first controller or '' for v2: cgroup mounts need it. */
  cgroupPaths: ReadonlyMap<string, string>;
  /**
   * Sources of bind mounts, as absolute paths, that lead into the rootfs by links of the host: their paths in it.
   * Those that lie in it by name need not be here.
   */
  sourcesInside?: ReadonlyMap<string, string>;
  /** Mounts added by the command, after those of the config. */
  extraMounts?: readonly Mount[];
}

/** Takes the reasons why this host cannot run a valid config. A caller that wants only the first one throws it. */
export type Refuse = (failure: TsrunError) => void;

/** A compiled seccomp profile (lib/seccomp). */
export interface SeccompFilter {
  /** Classic BPF, an array of struct sock_filter. */
  program: Uint8Array;
  /** Flags of seccomp(2). */
  flags: number;
  /** The filter has a listener, for an agent. */
  notify: boolean;
}

/** The compiled container: what the init will do, in order. */
export interface Plan {
  ops: Op[];
  /** Number of slots used, `slots.first` included. */
  slotCount: number;
  warnings: Finding[];
}
