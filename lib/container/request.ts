import type { CgroupDriver } from '../cgroup/types.ts';
import type { Log } from '../log/logger.ts';
import type { StateRoot } from './root.ts';

/** What `create` and `run` are asked for. Paths are relative to the working directory unless absolute. */
export interface CreateRequest {
  id: string;
  bundle: string;
  root: StateRoot;
  log: Log;
  cgroupDriver?: CgroupDriver | undefined;
  /** File for the pid of the container's process. */
  pidFile?: string | undefined;
  /** AF_UNIX stream socket that gets the terminal's master. */
  consoleSocket?: string | undefined;
  /** AF_UNIX stream socket that gets a pidfd of the container's process. */
  pidfdSocket?: string | undefined;
  /** Descriptors the container keeps behind those of LISTEN_FDS. */
  preserveFds?: number | undefined;
  /** Descriptors from 3 on that a service manager passed to tsrun for the container (sd_listen_fds(3)). */
  listenFds?: number | undefined;
  noPivot?: boolean | undefined;
  noNewKeyring?: boolean | undefined;
}

/** What of it matters for the plan of a bundle that was read already. */
export type CompileRequest = Omit<CreateRequest, 'bundle' | 'log'>;
