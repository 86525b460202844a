/** Descriptors that a service manager passed to tsrun for the container (sd_listen_fds(3)). */
export interface ListenRequest {
  /** How many, from 3 on. */
  listenFds?: number | undefined;
  /** Their names, separated by colons. */
  listenFdNames?: string | undefined;
}

/** Tells the process of them: as to pid 1, which it is in most containers. */
export function listenEnvironment({ listenFds = 0, listenFdNames }: ListenRequest): string[] {
  if (listenFds === 0) return [];
  const names = listenFdNames === undefined ? [] : [`LISTEN_FDNAMES=${listenFdNames}`];
  return [`LISTEN_FDS=${listenFds}`, 'LISTEN_PID=1', ...names];
}
