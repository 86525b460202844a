/**
 * The wire format between the compiler of plans (TypeScript) and the init that executes them (C), defined
 * once: from these tables come the types of the operations, the encoder, and the C header
 * native-shim/include/wire.h with its bounds-checked decoders (scripts/wire-header.ts).
 *
 * A plan, all integers little endian:
 *   header  u32 magic "TSRN" · u32 version · u32 total bytes · u32 number of operations · u32 number of slots
 *   each    u16 code · u16 zero · u32 bytes of payload · payload
 * A payload is its fields in the table's order, without padding:
 *   u32 i32 u64 i64   the integer
 *   str               u32 length, the bytes, one NUL; no NUL inside (a path or a word)
 *   bytes             u32 length, the bytes
 *   strs              u32 count, then each as str
 *   u32s              u32 count, then each as u32
 *
 * A slot is an index into the init's table of descriptors. The first slots are filled by the engine
 * (`slots` below); operations fill and use the rest.
 */

export const wireMagic = 0x4e525354;
export const wireVersion = 1;

/** The largest plan the init accepts, in bytes. */
export const wireMaxBytes = 16 * 1024 * 1024;

/** The longest detail of a message, in bytes; the init cuts what is longer. */
export const wireMaxDetail = 4000;

/** The most slots a plan may have: one descriptor each, so it stays under the usual RLIMIT_NOFILE. */
export const wireMaxSlots = 4096;

export type FieldType = 'u32' | 'i32' | 'u64' | 'i64' | 'str' | 'bytes' | 'strs' | 'u32s';

/** Descriptors the engine gives the init at birth, by slot number; -1 where there is none. */
export const slots = {
  /** SOCK_SEQPACKET to the engine: messages below. */
  sync: 0,
  /** Listening SOCK_SEQPACKET socket on which `start` connects; absent for `run`. */
  start: 1,
  /** Connected console socket, which gets the pty master; absent without a terminal. */
  console: 2,
  /** The container's cgroup v2 directory, for CLONE_INTO_CGROUP; absent on v1. */
  cgroup: 3,
  /** Memfds with the state JSON hooks read on stdin, one per status; filled by the first `go`. */
  stateCreating: 4,
  stateCreated: 5,
  /** A pidfd of the first process of the container to be joined; absent where one is made. */
  container: 6,
  /** The first slot an operation may fill. */
  first: 7,
} as const;

/** A slot field that names no descriptor. */
export const noSlot = 0xffffffff;

/** The operation index of an error that no operation caused: the plan itself, or what the init was born with. */
export const noOp = 0xffffffff;

/** SECCOMP_FILTER_FLAG_NEW_LISTENER (seccomp(2)): the operation `seccomp` sends the message `listener`. */
export const newListenerFlag = 1 << 3;

/**
 * Messages on the sync and start sockets, one packet each:
 *   u32 type · u32 operation index · i32 errno · u32 value · detail bytes (at most wireMaxDetail)
 */
export const messages = {
  /** init → engine. The process `value` goes on with the plan: B, or A in another cgroup. The one before exits. */
  pid: 1,
  /** init → engine. Operation `op` failed with `errno`, for the reason `value` (`faults`); detail says on what. The init exits. */
  error: 2,
  /** init → engine. Something the user should know, though the container runs. */
  warning: 3,
  /** init → engine. At sync point `value`; waits for `go`. */
  sync: 4,
  /**
   * init → engine. `waitStart` has begun: everything before it is done and `create` may end. The init closes its
   * channel after it and awaits no answer.
   */
  waiting: 5,
  /**
   * init → engine. The filter is loaded and notifies: carries its listener (SCM_RIGHTS), which the engine gives
   * to the agent. Comes before `waiting` and `ready`; the init waits for `go`.
   */
  listener: 6,
  /**
   * init → engine. What follows goes through pipes, of which this carries the engine's ends: one to read messages
   * from, one to write `go` to. Over them a `listener` has the number of a descriptor in its process as `value`, and
   * `go` carries nothing.
   */
  pipes: 7,
  /** engine → init. Go on. The first one carries the two state memfds (SCM_RIGHTS) when the plan has hooks. */
  go: 16,
} as const;

/**
 * The errno of a hook that ran but failed (ECANCELED, which no system call on its way returns); the detail says
 * how: `exit status 3: what it wrote`, `killed by signal 9`. One past its timeout has ETIMEDOUT (`faults.timeout`),
 * one that could not be executed the errno of execve(2).
 */
export const hookFailedErrno = 125;

/**
 * What an operation failed on, where the errno and the operation do not tell: which property of config.json is wrong,
 * and which hint fits. The detail is for people only.
 */
export const faults = {
  none: 0,
  /** The source of a mount on the host, or given to the filesystem; the detail begins with its path. */
  source: 1,
  /** The source of a bind mount inside the rootfs; the detail begins with its path. */
  sourceInRootfs: 2,
  /** The path in the rootfs that the operation makes or changes. */
  destination: 3,
  /** The kernel has no filesystem of this type. */
  type: 4,
  /** An option of the filesystem. */
  option: 5,
  /** Attributes of the mount (mount_setattr(2)). */
  attribute: 6,
  /** The propagation of the mount. */
  propagation: 7,
  /** The id mapping of the mount. */
  idmap: 8,
  /** The file is no namespace that may be joined here; the detail is the whole reason. */
  namespace: 9,
  uid: 10,
  gid: 11,
  additionalGid: 12,
  /** Not the program itself, but the interpreter it needs. */
  interpreter: 13,
  /** A hook ran longer than its timeout; the detail is what it wrote. */
  timeout: 14,
} as const;

export type FaultName = keyof typeof faults;

/** Points where the init waits for the engine. */
export const syncPoints = {
  /** The namespaces exist: the engine writes the id maps and moves net devices. Always the first. */
  setup: 1,
  /** The namespaces and mounts are made, pivot_root comes next: prestart and createRuntime hooks. */
  hooks: 2,
  /** Everything up to execve is done (`run` only; `create` waits on the start socket instead). */
  ready: 3,
  /**
   * B has come into a pid namespace that others live in: before its `go` the engine writes the pid into the state
   * memfds. Only where a hook will read one.
   */
  entered: 4,
} as const;

/** Flags of the mount operations. */
export const mountFlags = {
  /** The destination must hold no symbolic link at all (procfs, sysfs). */
  noSymlinks: 1,
  /** Fill the new tmpfs with what the image has at the destination. */
  copyUp: 2,
  /** The destination may lie inside procfs (the few files runc also allows). */
  allowProc: 4,
  /** Clone the source with everything mounted below it (rbind). */
  recursive: 8,
  /** Do not follow a symbolic link in the last part of the source. */
  sourceNoFollow: 16,
  /** A missing destination of a bind mount is made as a directory, whatever the source is. */
  ensureDirectory: 32,
  /** A symbolic link in the last part of the destination is mounted on itself, not on what it names. */
  destinationNoFollow: 64,
  /** A source that is a symbolic link is copied to the destination, not mounted. Needs sourceNoFollow. */
  copySymlink: 128,
  /** Ids are mapped of everything mounted below, too (ridmap). */
  idmapRecursive: 256,
} as const;

/**
 * How the container's root is entered.
 *   pivot  pivot_root(".", ".") and detach the old root
 *   move   MS_MOVE the rootfs over / and chroot (--no-pivot, for a rootfs on the initial ramfs)
 *   chroot no mount namespace of its own: chroot only
 */
export const rootModes = { pivot: 0, move: 1, chroot: 2 } as const;

/**
 * How a hook is run, as bits.
 *
 *   atRootfs  its working directory is the rootfs, which is not the root yet
 *   home      it gets the HOME of the operation `home`, if there was one
 */
export const hookFlags = { atRootfs: 1, home: 2 } as const;

/**
 * The operations. `a` operations run in process A, which the engine starts in the caller's namespaces; `b` ones in
 * process B, which becomes the user's; `ab` in either. Codes are stable: a new operation takes a new number.
 *
 * Where B is the first process of its pid namespace, or in that of the caller, A clones it early and B makes the
 * container. Where others live in that namespace (exec, a joined one) A makes all of it and clones B last.
 */
export const wireOps = {
  // Process A.
  /** Writes /proc/self/oom_score_adj; B inherits it. */
  oomScoreAdj: { code: 1, in: 'a', fields: { value: 'i32' } },
  /**
   * Opens a namespace file and checks that it is of `type` (one CLONE_NEW* bit). With `changes`, what the
   * container would change in it, it must not be the caller's own.
   */
  openNamespace: { code: 2, in: 'a', fields: { slot: 'u32', type: 'u32', path: 'str', changes: 'str' } },
  /** setns(2) to the namespace in `slot`; for the user namespace also becomes its root. */
  enterNamespace: { code: 3, in: 'a', fields: { slot: 'u32', type: 'u32' } },
  /**
   * Enters the pid namespace in `slot` now when the user namespace in `userSlot`, which A enters next, has no power
   * over it. With `hooks` in A after this, which the processes of the pid namespace would see, that is an error.
   */
  enterPidNamespaceOfOthers: { code: 30, in: 'a', fields: { slot: 'u32', userSlot: 'u32', hooks: 'u32' } },
  /** Makes a user namespace with these maps (uid_map syntax) and keeps it in `slot`, for idmapped mounts. */
  makeUserNamespace: { code: 4, in: 'a', fields: { slot: 'u32', uidMap: 'str', gidMap: 'str' } },
  /** open_tree(OPEN_TREE_CLONE) of `path` into `slot`. `flags`: mountFlags. Also allowed in B. */
  cloneTree: { code: 5, in: 'ab', fields: { slot: 'u32', path: 'str', flags: 'u32' } },
  /** MOUNT_ATTR_IDMAP on the detached mount in `slot`, with the user namespace in `userSlot`. */
  idmapTree: { code: 6, in: 'a', fields: { slot: 'u32', userSlot: 'u32', recursive: 'u32' } },
  /**
   * prlimit(2): raises the hard limit to `hard` when it is below it, and changes nothing else. B inherits it; in
   * a user namespace nobody may raise one (CAP_SYS_RESOURCE counts in the initial one only).
   */
  raiseHardLimit: { code: 10, in: 'a', fields: { resource: 'u32', hard: 'u64' } },
  /** Opens a cgroup's file of members for writing, while its path and the power to do so are at hand. */
  openCgroup: { code: 15, in: 'a', fields: { slot: 'u32', path: 'str' } },
  /**
   * setns(2) to the namespaces `flags` (CLONE_NEW*) of the process in the slot `container`; of the user namespace
   * also becomes the root.
   */
  enterContainer: { code: 8, in: 'a', fields: { flags: 'u64' } },
  /** Opens A's timens_offsets for writing, while it may: before it hides from a namespace it enters. */
  openTimeOffsets: { code: 14, in: 'a', fields: { slot: 'u32' } },
  /** sched_setaffinity(2); `cpus` is the mask, CPU 0 the lowest bit of the first byte. None: every CPU there may be. */
  affinity: { code: 9, in: 'ab', fields: { cpus: 'bytes' } },
  /** clone3(2) with `flags` (CLONE_NEW*); B runs the rest. A plan has this one or cloneVisible, once. */
  clone: { code: 7, in: 'a', fields: { flags: 'u64' } },
  /**
   * clone3(2) of a B that others in its pid namespace see, and may trace, from its first moment: it gets the stdio,
   * the kept descriptors and its sockets, and nothing of the host.
   */
  cloneVisible: { code: 11, in: 'a', fields: {} },
  /** A continues as its own child, cloned into the cgroup v2 of the slot `cgroup`. */
  cloneIntoCgroup: { code: 12, in: 'a', fields: {} },
  /** What later mounts of procfs show: the pid namespace in `slot`, which A is not in. */
  procfsPidNamespace: { code: 13, in: 'a', fields: { slot: 'u32' } },

  // Namespaces.
  /**
   * Moves itself into the cgroup whose file of members is in `slot`. A thread that moves itself costs nothing;
   * for a process moved by another the kernel stops every fork of the host and waits for an RCU grace period.
   */
  joinCgroup: { code: 25, in: 'ab', fields: { slot: 'u32' } },
  /** Tells the engine and waits for its `go`. */
  sync: { code: 16, in: 'ab', fields: { point: 'u32' } },
  /** setresgid/setresuid to 0 in the new user namespace. */
  becomeRoot: { code: 17, in: 'ab', fields: {} },
  /**
   * unshare(2) of `flags` that must come late (CLONE_NEWCGROUP: after joining the cgroup; CLONE_NEWIPC: as root of
   * the new user namespace).
   */
  unshare: { code: 18, in: 'ab', fields: { flags: 'u64' } },
  /**
   * Makes a time namespace and writes `offsets` (timens_offsets syntax). In A, for B to be born in it, and through
   * the file in `slot`; in B, which enters it, the slot is noSlot.
   */
  timeNamespace: { code: 19, in: 'ab', fields: { slot: 'u32', offsets: 'str' } },
  hostname: { code: 20, in: 'ab', fields: { name: 'str' } },
  domainname: { code: 21, in: 'ab', fields: { name: 'str' } },
  /** Brings up `lo`. */
  loopback: { code: 22, in: 'ab', fields: {} },
  /** Joins a new session keyring. */
  keyring: { code: 23, in: 'ab', fields: { name: 'str' } },
  /** The init speaks to the engine through pipes from here on, not through the sync socket. */
  usePipes: { code: 28, in: 'a', fields: {} },
  /** listen(2) on the start socket. */
  listen: { code: 29, in: 'ab', fields: {} },
  /** Closes all descriptors but the stdio, the kept ones, the channels and the state memfds: no path is left. */
  closeHostDescriptors: { code: 27, in: 'ab', fields: {} },
  /** setsid(2). */
  newSession: { code: 24, in: 'b', fields: {} },
  /** TIOCSCTTY: the terminal that is stdio becomes that of the session. */
  controllingTerminal: { code: 26, in: 'b', fields: {} },

  // Rootfs.
  /** Sets the propagation of / (MS_SHARED…, with MS_REC) so that nothing below reaches the host. */
  hostPropagation: { code: 32, in: 'ab', fields: { flags: 'u64' } },
  /**
   * Bind-mounts the rootfs on itself, makes its parent mount private, opens it as the root of all that follows.
   * Without hostPropagation before it (no mount namespace of its own) it is only opened.
   */
  rootfs: { code: 33, in: 'ab', fields: { path: 'str' } },
  /** A new filesystem. `attributes`: MOUNT_ATTR_*; `options`: fsconfig `key` or `key=value`. */
  mountFilesystem: {
    code: 34,
    in: 'ab',
    fields: {
      destination: 'str',
      type: 'str',
      source: 'str',
      options: 'strs',
      attributes: 'u64',
      recursiveSet: 'u64',
      recursiveClear: 'u64',
      propagation: 'u32s',
      flags: 'u32',
    },
  },
  /**
   * A bind mount of `source`, or of the detached mount in `slot`. `attributesUnnamed` are cleared, too, unless the
   * mount keeps them for the user namespace it came from. A source in the rootfs is `inside` it, looked for there
   * at this moment, and mapped by the user namespace in `userSlot`; otherwise `inside` is empty.
   */
  mountBind: {
    code: 35,
    in: 'ab',
    fields: {
      destination: 'str',
      source: 'str',
      slot: 'u32',
      attributesSet: 'u64',
      attributesClear: 'u64',
      recursiveSet: 'u64',
      recursiveClear: 'u64',
      propagation: 'u32s',
      flags: 'u32',
      attributesUnnamed: 'u64',
      inside: 'str',
      userSlot: 'u32',
    },
  },
  /** Changes the mount already at `destination`; `options` reconfigure its superblock. */
  remount: {
    code: 36,
    in: 'ab',
    fields: {
      destination: 'str',
      options: 'strs',
      attributesSet: 'u64',
      attributesClear: 'u64',
      recursiveSet: 'u64',
      recursiveClear: 'u64',
      propagation: 'u32s',
      flags: 'u32',
    },
  },
  /** mknod(2) in the rootfs. `mode` has type and permissions. An equal node already there is kept. */
  device: {
    code: 37,
    in: 'ab',
    fields: { path: 'str', mode: 'u32', major: 'u32', minor: 'u32', uid: 'u32', gid: 'u32' },
  },
  /** Bind-mounts the host's device node `source`, where mknod is not allowed (user namespaces). */
  deviceBind: { code: 38, in: 'ab', fields: { path: 'str', source: 'str', slot: 'u32' } },
  /** symlink(2) in the rootfs. With `replace`, something else already there is replaced (/dev/ptmx). */
  symlink: { code: 39, in: 'ab', fields: { path: 'str', target: 'str', replace: 'u32' } },
  /**
   * A pty from the container's devpts; the master goes to the console slot, the slave becomes stdio. It controls the
   * session of B by controllingTerminal only.
   */
  console: { code: 40, in: 'ab', fields: { rows: 'u32', columns: 'u32', mount: 'u32' } },
  /** Writes /proc/sys/`path` (slashes) through a verified procfs. */
  sysctl: { code: 41, in: 'ab', fields: { path: 'str', value: 'str' } },
  /** A hook run by the init (createContainer before, startContainer after pivot_root); timeout 0: none. */
  hook: {
    code: 42,
    in: 'ab',
    fields: { path: 'str', args: 'strs', env: 'strs', timeoutMs: 'u64', stateSlot: 'u32', flags: 'u32' },
  },
  maskPath: { code: 43, in: 'ab', fields: { path: 'str' } },
  readonlyPath: { code: 44, in: 'ab', fields: { path: 'str' } },
  /** Makes the container's / read-only (this mount only). */
  readonlyRoot: { code: 45, in: 'ab', fields: {} },
  /** Enters the rootfs. `mode`: rootModes. */
  enterRoot: { code: 46, in: 'ab', fields: { mode: 'u32' } },
  /** rootfsPropagation: the propagation of the container's /, as MS_* flags. */
  rootPropagation: { code: 47, in: 'ab', fields: { flags: 'u64' } },

  /** Sets security.selinux of a file in the rootfs, where no mount option can. */
  fileLabel: { code: 48, in: 'ab', fields: { path: 'str', label: 'str' } },
  /** The SELinux label of what later operations make by themselves: the terminal, masks. */
  mountLabel: { code: 49, in: 'ab', fields: { label: 'str' } },

  // The process.
  rlimit: { code: 64, in: 'ab', fields: { resource: 'u32', soft: 'u64', hard: 'u64' } },
  /** Finds args[0] as the user will (execvp(3) over `path`, the value of PATH) and keeps it for `exec`. */
  findExecutable: { code: 65, in: 'ab', fields: { name: 'str', path: 'str' } },
  /** prctl(PR_SET_NO_NEW_PRIVS). */
  noNewPrivileges: { code: 66, in: 'ab', fields: {} },
  /** Drops the bounding set to `bounding`; must come before `user`. */
  boundingSet: { code: 67, in: 'ab', fields: { bounding: 'u64' } },
  /** setgroups, setresgid, setresuid keeping capabilities, umask. `noGroups`: setgroups is denied here (rootless). */
  user: {
    code: 68,
    in: 'ab',
    fields: { uid: 'u32', gid: 'u32', groups: 'u32s', umask: 'u32', noGroups: 'u32' },
  },
  /** capset(2) of the three sets, then the ambient set; one that cannot be had is a warning. */
  capabilities: {
    code: 69,
    in: 'ab',
    fields: { effective: 'u64', permitted: 'u64', inheritable: 'u64', ambient: 'u64' },
  },
  /** chdir(2) in the container, made if missing when `create`; verified to be inside the root. */
  workingDirectory: { code: 70, in: 'ab', fields: { path: 'str', create: 'u32' } },
  /** Finds HOME in the container's /etc/passwd for `exec`, when env has none. */
  home: { code: 71, in: 'ab', fields: { uid: 'u32' } },

  /**
   * seccomp(2). `flags`: SECCOMP_FILTER_FLAG_*; `program`: an array of struct sock_filter. With
   * SECCOMP_FILTER_FLAG_NEW_LISTENER the listener goes to the engine (messages.listener).
   */
  seccomp: { code: 72, in: 'ab', fields: { flags: 'u32', program: 'bytes' } },
  /** The AppArmor profile from execve(2) on. */
  apparmorProfile: { code: 73, in: 'ab', fields: { profile: 'str' } },
  /** Writes an SELinux label to /proc/self/attr/`attribute`: `exec`, or `keycreate` for new keyrings. */
  selinuxLabel: { code: 74, in: 'ab', fields: { attribute: 'str', label: 'str' } },
  /** sched_setattr(2); times in nanoseconds. */
  scheduler: {
    code: 75,
    in: 'ab',
    fields: {
      policy: 'u32',
      flags: 'u64',
      nice: 'i32',
      priority: 'u32',
      runtime: 'u64',
      deadline: 'u64',
      period: 'u64',
    },
  },
  /** ioprio_set(2). `ioClass`: IOPRIO_CLASS_*. */
  ioPriority: { code: 76, in: 'ab', fields: { ioClass: 'u32', priority: 'u32' } },
  /** personality(2). */
  personality: { code: 78, in: 'ab', fields: { persona: 'u32' } },
  /** set_mempolicy(2). `mode`: MPOL_* with its flags; `nodes`: a bit a node, in whole 64-bit words. */
  memoryPolicy: { code: 79, in: 'ab', fields: { mode: 'u32', nodes: 'bytes' } },

  // Process B: hand-over.
  /** Waits for `start` to connect to the start socket; errors from here on go to it. */
  waitStart: { code: 96, in: 'b', fields: {} },
  /** execve(2) of what findExecutable found. Descriptors from 3 + `preserveFds` on close. */
  exec: { code: 97, in: 'b', fields: { args: 'strs', env: 'strs', preserveFds: 'u32' } },

  /**
   * In A: clones what `path` is in the directory `root`, the rootfs, without any link on the way, and maps its ids
   * by the user namespace in `userSlot`. For B, which may lack the power: what cannot be had leaves `slot` empty.
   */
  cloneInside: {
    code: 110,
    in: 'a',
    fields: { slot: 'u32', root: 'str', path: 'str', userSlot: 'u32', flags: 'u32' },
  },
  /** The rootfs is from now on a clone of it that is mounted nowhere, with attributes of its own. */
  detachRootfs: { code: 111, in: 'ab', fields: {} },
} as const satisfies Record<
  string,
  { code: number; in: 'a' | 'b' | 'ab'; fields: Record<string, FieldType> }
>;

interface FieldValues {
  u32: number;
  i32: number;
  u64: bigint | number;
  i64: bigint | number;
  str: string;
  bytes: Uint8Array;
  strs: readonly string[];
  u32s: readonly number[];
}

export type OpName = keyof typeof wireOps;

/** One operation: its name, where in config.json it comes from (JSON pointer; '' for what is always done), its fields. */
export type OpOf<N extends OpName> = { op: N; origin: string } & {
  [F in keyof (typeof wireOps)[N]['fields']]: (typeof wireOps)[N]['fields'][F] extends FieldType
    ? FieldValues[(typeof wireOps)[N]['fields'][F]]
    : never;
};

export type Op = { [N in OpName]: OpOf<N> }[OpName];
