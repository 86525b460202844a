/** Descriptors that a service manager passed to tsrun for the container (sd_listen_fds(3)). */
export interface ListenRequest {
  /** How many, from 3 on. */
  listenFds?: number | undefined;
  /** Their names, separated by colons. */
  listenFdNames?: string | undefined;
}

/** Environment for socket activation. LISTEN_PID is 1, the pid of the process in most containers. */
export function listenEnvironment({ listenFds = 0, listenFdNames }: ListenRequest): string[] {
  if (listenFds === 0) return [];
  const names = listenFdNames === undefined ? [] : [`LISTEN_FDNAMES=${listenFdNames}`];
  return [`LISTEN_FDS=${listenFds}`, 'LISTEN_PID=1', ...names];
}
