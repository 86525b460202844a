import type { CgroupDriver } from '../cgroup/record.ts';
import type { Sink } from '../core/finding.ts';
import type { ListenRequest } from '../service/socket-activation.ts';
import type { StateRoot } from '../state/state-root.ts';

/** What `create` and `run` are asked for. Paths are relative to the working directory unless absolute. */
export interface CreateRequest extends ListenRequest {
  id: string;
  bundle: string;
  root: StateRoot;
  log: Sink;
  cgroupDriver?: CgroupDriver | undefined;
  /** File for the pid of the container's process. */
  pidFile?: string | undefined;
  /** AF_UNIX stream socket that gets the terminal's master. */
  consoleSocket?: string | undefined;
  /** AF_UNIX stream socket that gets a pidfd of the container's process. */
  pidfdSocket?: string | undefined;
  /** Descriptors the container keeps behind those of LISTEN_FDS. */
  preserveFds?: number | undefined;
  /** Socket of the service manager to which the container may say that it is ready (sd_notify(3)). */
  notifySocket?: string | undefined;
  noPivot?: boolean | undefined;
  noNewKeyring?: boolean | undefined;
}

/** What of it matters for the plan of a bundle that was read already. */
export type CompileRequest = Omit<CreateRequest, 'bundle' | 'log'>;
