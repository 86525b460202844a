import type { Mount } from '../spec/types.ts';
import type { Op } from './wire.ts';

/** What the compiler must know of the host; read once by lib/host/facts.ts, plain data in tests. */
export interface HostFacts {
  /** Kernel version, for clear errors about what it lacks. */
  kernel: { major: number; minor: number };
  /** euid and egid of tsrun. */
  uid: number;
  gid: number;
  /** True when tsrun may act as root over the host's user namespace (CAP_SYS_ADMIN in the initial one). */
  privileged: boolean;
  /** Not root of the host but another user, or root of a user namespace: what only root can have, it does without. */
  rootless: boolean;
  /** True in a user namespace that denies setgroups(2): /proc/self/setgroups says `deny`. */
  setgroupsDenied?: boolean;
  /** Filesystems of /proc/filesystems. */
  filesystems: ReadonlySet<string>;
  /** AppArmor is enabled. */
  apparmor?: boolean;
  cgroup: CgroupLayout;
}

/** How cgroups are mounted on this host (cgroups(7)). */
export interface CgroupLayout {
  mode: 'v1' | 'hybrid' | 'v2' | 'none';
  /** v1 hierarchies: where, and which controllers (`cpu`, `name=systemd`). */
  v1: readonly { mountpoint: string; root?: string; controllers: readonly string[] }[];
  /**
   * The v2 hierarchy, when one is mounted. `root`, here and above: the cgroup seen at the mountpoint
   * (mountinfo's fourth field); not / where tsrun itself runs in a container.
   */
  v2?: { mountpoint: string; root?: string; controllers: readonly string[] };
}

/** What a command asks of a plan besides the config. */
export interface PlanOptions {
  /** Absolute path of the bundle. */
  bundle: string;
  /** Absolute path of the rootfs, links resolved. */
  rootfs: string;
  containerId: string;
  noPivot: boolean;
  noNewKeyring: boolean;
  /** Descriptors from 3 on that the process keeps (LISTEN_FDS and --preserve-fds together). */
  preserveFds: number;
  /** How the init waits before execve: for `start`, or for the engine that runs it right away. */
  gate: 'start' | 'engine';
  /** The container's directory in each hierarchy, by its first controller or '' for v2: cgroup mounts need it. */
  cgroupPaths: ReadonlyMap<string, string>;
  /**
   * Files of members (`tasks`) of the cgroups the process moves itself into. Empty when the engine does it, or
   * when there are none.
   */
  cgroupTasks?: readonly string[];
  /** The process is cloned into a cgroup v2, which the init has in its slot. */
  cloneIntoCgroup?: boolean;
  /** The process is one more of a container that exists (exec). */
  entersContainer?: boolean;
  /** Environment added by the command (LISTEN_FDS, NOTIFY_SOCKET …), after process.env. */
  extraEnv: readonly string[];
  /**
   * Sources of bind mounts, as absolute paths, that lead into the rootfs by links of the host: their paths in it.
   * Those that lie in it by name need not be here.
   */
  sourcesInside?: ReadonlyMap<string, string>;
  /** Mounts added by the command, after those of the config. */
  extraMounts?: readonly Mount[];
  /** linux.seccomp, compiled. Must be there when the config has a profile. */
  seccomp?: SeccompFilter | undefined;
}

/** A compiled seccomp profile (lib/seccomp). */
export interface SeccompFilter {
  /** Classic BPF, an array of struct sock_filter. */
  program: Uint8Array;
  /** Flags of seccomp(2). */
  flags: number;
  /** The filter has a listener, for an agent. */
  notify: boolean;
}

export interface PlanWarning {
  pointer: string;
  message: string;
}

/** The compiled container: what the init will do, in order. */
export interface Plan {
  ops: Op[];
  /** Number of slots used, `slots.first` included. */
  slotCount: number;
  warnings: PlanWarning[];
}
