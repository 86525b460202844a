import { closeSync } from 'node:fs';
import { TsrunError } from '../../core/error.ts';
import { reap, waitPidfd } from '../../native/pidfd.ts';
import { receivePacket, sendPacket } from '../../native/packet.ts';
import { socketPair } from '../../native/socket.ts';
import { spawn, type Spawned } from '../../native/spawn.ts';
import { decodeMessage, encodeMessage } from './protobuf.ts';
import {
  type CriuOptions,
  type CriuRequest,
  type CriuResponse,
  requestFields,
  requestTypes,
  responseFields,
} from './rpc.ts';
import { closeAll } from '../../host/filesystem.ts';

/** A point of a dump or a restore at which criu waits for tsrun. */
export interface Notification {
  /** `setup-namespaces`, `post-restore`, `orphan-pts-master` … (criu.org/Action_scripts). */
  script: string;
  /** Pid of the container's first process; 0 when there is none yet. */
  pid: number;
  /** Descriptors that came with it; closed when the listener returns. */
  fds: readonly number[];
}

export interface CriuCall {
  /** Path of criu. */
  program: string;
  env: readonly string[];
  /** Descriptors that become 0, 1 and 2 of criu. */
  stdio: readonly [number, number, number];
  /** Descriptors that become firstExtraFd, firstExtraFd + 1 … of criu. */
  extraFds?: readonly number[] | undefined;
  /** Calls its argument, which starts criu, in the mount namespace that criu is to have. */
  spawnIn?: (start: () => Spawned) => Spawned;
  request: CriuRequest;
  /** Called with the pid of criu before the request is sent; the result is added to the options. */
  prepare?: (pid: number) => CriuOptions;
  /** When it throws, criu undoes what it has done, and callCriu() throws the error. */
  notify?: (notification: Notification) => void;
}

const socketFd = 3;
export const firstExtraFd = 4;

/** In bytes; an answer is a few numbers and at most one line of criu's log. */
const longestAnswer = 64 * 1024;

/**
 * Starts criu as a worker (`criu swrk`), which ends with tsrun, and sends it one request. Returns its answer, also
 * when that is a refusal.
 *
 * @throws TsrunError 'system' when criu cannot be started, ends without an answer or sends a malformed one; what
 * `notify` threw
 */
export function callCriu(call: CriuCall): CriuResponse {
  const [ours, theirs] = socketPair();
  let isOpen = true;
  try {
    const criu = startCriu(call, theirs);
    try {
      const added = call.prepare?.(criu.pid);
      const { request } = call;
      send(ours, added === undefined ? request : { ...request, opts: { ...request.opts, ...added } });
      return receiveAnswer(ours, call.notify, () => waitForEnd(criu.pidfd));
    } finally {
      // criu ends when its socket is closed.
      closeSync(ours);
      isOpen = false;
      waitForEnd(criu.pidfd);
      closeSync(criu.pidfd);
    }
  } finally {
    if (isOpen) closeSync(ours);
  }
}

function startCriu(
  { program, env, stdio, extraFds = [], spawnIn = (start) => start() }: CriuCall,
  socket: number,
): Spawned {
  try {
    return spawnIn(() =>
      spawn({
        executable: program,
        args: ['criu', 'swrk', String(socketFd)],
        env,
        fds: [...stdio, socket, ...extraFds],
        restoreLimits: true,
        endWithTsrun: true,
      }),
    );
  } finally {
    closeSync(socket);
  }
}

function send(socket: number, request: CriuRequest): void {
  sendPacket(socket, 'criu', encodeMessage(requestFields, request));
}

/** Passes notifications to `notify` until the answer arrives. */
function receiveAnswer(
  socket: number,
  notify: CriuCall['notify'],
  exitStatus: () => number | undefined,
): CriuResponse {
  const failures: unknown[] = [];
  for (;;) {
    const received = receivePacket(socket, 'criu', longestAnswer);
    if (received === undefined) {
      if (failures.length > 0) throw failures[0];
      throw new TsrunError(
        'system',
        `criu ended with status ${exitStatus() ?? 'unknown'} and without an answer`,
      );
    }
    const { packet, fds } = received;
    try {
      const answer = decodeMessage(responseFields, packet);
      if (answer.type !== requestTypes.notify) {
        if (failures.length > 0) throw failures[0];
        return answer;
      }
      const { script = '', pid = 0 } = answer.notify ?? {};
      if (failures.length === 0) {
        try {
          notify?.({ script, pid, fds });
        } catch (error) {
          failures.push(error);
        }
      }
      send(socket, { type: requestTypes.notify, notify_success: failures.length === 0 });
    } finally {
      closeAll(fds);
    }
  }
}

/** Waits for the end of criu. Returns its exit status; undefined when it has been reaped before. */
function waitForEnd(pidfd: number): number | undefined {
  waitPidfd(pidfd, -1);
  try {
    return reap(pidfd);
  } catch (error) {
    if (error instanceof TsrunError) return undefined;
    throw error;
  }
}
