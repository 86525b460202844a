/**
 * The system calls that the init makes under the container's filter, by what they are for. Where the filter is loaded
 * decides which of them it must allow (placeFilter of seccomp.ts).
 */
export const initSyscalls = {
  exec: ['execve'],
  /** On every way from a filter that does not come last. */
  always: ['read', 'write', 'close', 'mmap'],
  /** The init has another way where the filter answers ENOSYS or EPERM. */
  optional: ['close_range'],
  /** Waiting for `start`. */
  start: ['accept4', 'sendmsg'],
  /** Speaking to the engine through a socket. */
  socket: ['sendmsg', 'recvmsg'],
  /** Giving up privileges, and finding the executable after that. */
  privileges: [
    ...(['setgroups', 'setresgid', 'setresuid', 'prctl', 'umask', 'capget', 'capset'] as const),
    ...(['newfstatat', 'faccessat2'] as const),
  ],
  /** Making process B, and its session. clone3 is optional. */
  clone: ['pipe2', 'clone', 'clone3', 'setsid', 'exit_group'],
  /** Lowering limits in the end. */
  limits: ['prlimit64'],
  terminal: ['ioctl'],
  /** Running startContainer hooks. */
  hooks: [
    ...(['pipe2', 'lseek', 'fcntl', 'clone', 'dup3', 'rt_sigprocmask', 'ppoll', 'read', 'wait4'] as const),
    'pidfd_send_signal',
  ],
} as const;
