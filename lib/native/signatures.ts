/**
 * What the engine and libtsrun.so say to each other: the functions, and the numbers both sides use.
 * scripts/tsrun-header.ts writes native-shim/include/tsrun.h from this file.
 *
 * Every function returns a value >= 0, or -errno. The descriptors it returns are close-on-exec. The functions of
 * lib/native describe what each does.
 */

/** The parameters of each function in C, by the file of native-shim/lib that defines it. */
export const signatures = {
  // bpf.c
  tsrun_device_filter:
    'const char *cgroup, const void *program, unsigned int size, void *log, unsigned int log_size',
  // file.c
  tsrun_flock: 'int fd, int operation',
  tsrun_open_in_root: 'int root, const char *path, int flags',
  tsrun_set_xattr: 'const char *path, const char *name, const char *value',
  tsrun_get_xattr: 'const char *path, const char *name, void *value, unsigned int size',
  // foreground.c
  tsrun_foreground: 'int pidfd, int pid, int master, int32_t *fds',
  // memfd.c
  tsrun_memfd: 'const char *name',
  tsrun_memfd_bytes: 'const char *name, const void *bytes, unsigned int size',
  tsrun_memfd_file: 'const char *name, const char *path',
  // message.c
  tsrun_send: 'int sock, const void *packet, unsigned int size, const int32_t *fds, unsigned int fd_count',
  tsrun_receive: 'int sock, void *packet, unsigned int size, int32_t *out, int timeout_ms',
  tsrun_send_descriptor: 'int sock, const void *payload, unsigned int size, int fd',
  tsrun_receive_descriptor: 'int sock, void *payload, unsigned int size, int32_t *out',
  // mounts.c
  tsrun_enter_private: 'const char *source, const char *target, int32_t *out',
  tsrun_leave_private: 'int mount_namespace, int cwd',
  // netlink.c
  tsrun_netlink: 'int network_namespace',
  // notify.c
  tsrun_forward_ready: 'int container, int manager, int pid',
  // poll.c
  tsrun_pipe: 'int32_t *out',
  tsrun_poll: 'const int32_t *fds, unsigned int count, int timeout_ms',
  // process.c
  tsrun_exit: 'int status',
  tsrun_pidfd_open: 'int pid',
  tsrun_pidfd_signal: 'int pidfd, int signal',
  tsrun_pidfd_getfd: 'int pidfd, int fd',
  tsrun_wait_pidfd: 'int pidfd, int timeout_ms',
  tsrun_reap: 'int pidfd, int32_t *out',
  tsrun_subreaper: 'int on',
  // seccomp.c
  tsrun_seccomp_knows_flags: 'unsigned int flags',
  // signals.c
  tsrun_hold_signals: '',
  tsrun_release_signals: '',
  // The last SIGTERM, SIGINT, SIGHUP or SIGQUIT that came since signals are held; 0: none.
  tsrun_held_end: '',
  // socket.c
  tsrun_socketpair: 'int32_t *out',
  tsrun_bind: 'const char *dir, const char *name',
  tsrun_connect: 'const char *dir, const char *name',
  tsrun_connect_stream: 'const char *path',
  tsrun_bind_datagram: 'const char *dir, const char *name',
  tsrun_connect_datagram: 'const char *path',
  // spawn.c
  tsrun_spawn:
    'const int32_t *request, unsigned int request_words, const void *strings, unsigned int strings_size, int32_t *out',
  // terminal.c
  tsrun_copy_terminal_size: 'int master',
  tsrun_is_terminal: 'int fd',
  // user.c
  tsrun_user_name: 'unsigned int uid, void *name, unsigned int size',
  // watch.c
  tsrun_watch_file: 'const char *path',
  tsrun_oom_eventfd: 'const char *cgroup',
} as const;

export type FunctionName = keyof typeof signatures;

/** The C prototype of a function: what the header declares, and what koffi is told. */
export function prototype(name: FunctionName): string {
  const parameters = signatures[name];
  return `int ${name}(${parameters === '' ? 'void' : parameters})`;
}

/** What TypeScript passes for a C parameter: a number, a string without NUL, or memory that C reads or fills. */
type Argument<P extends string> = P extends `const char *${string}`
  ? string
  : P extends `${'' | 'const '}void *${string}`
    ? Uint8Array
    : P extends `${'' | 'const '}int32_t *${string}`
      ? Int32Array
      : P extends `${'' | 'unsigned '}int ${string}`
        ? number
        : never;

type ArgumentList<P extends string> = P extends ''
  ? []
  : P extends `${infer First}, ${infer Rest}`
    ? [Argument<First>, ...ArgumentList<Rest>]
    : [Argument<P>];

export type Arguments<N extends FunctionName> = ArgumentList<(typeof signatures)[N]>;

/** The words before the descriptors in the request of tsrun_spawn, in their order. */
export const spawnHead = {
  /** A descriptor, or -1: the path in the strings. */
  executable: 'int32_t',
  /** Soft RLIMIT_NOFILE of the child, or -1. */
  nofile: 'int32_t',
  /** Soft RLIMIT_CORE, with restoreCore. */
  coreLow: 'uint32_t',
  coreHigh: 'uint32_t',
  /** Bits of spawnFlags. */
  flags: 'uint32_t',
  argc: 'uint32_t',
  envc: 'uint32_t',
  fdCount: 'uint32_t',
} as const;

export const spawnFlags = { setsid: 1, dieWithParent: 2, restoreCore: 4 } as const;

/** The steps of tsrun_spawn: it tells which one failed. */
export const spawnSteps = { start: 0, exec: 1, fds: 2, limits: 3, cwd: 4, setsid: 5 } as const;

/** Descriptors that one message can carry. */
export const maxMessageFds = 4;

/** Descriptors that tsrun_poll can wait for. */
export const maxPollFds = 8;
