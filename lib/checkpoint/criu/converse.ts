import { closeSync } from 'node:fs';
import { TsrunError } from '../../core/error.ts';
import { reap, waitPidfd } from '../../native/pidfd.ts';
import { receivePacket, sendPacket } from '../../native/packet.ts';
import { socketPair } from '../../native/socket.ts';
import { spawn } from '../../native/spawn.ts';
import type { Spawned } from '../../native/spawn.ts';
import { decodeMessage, encodeMessage } from './protobuf.ts';
import { request, requestTypes, response } from './rpc.ts';
import type { CriuOptions, CriuRequest, CriuResponse } from './rpc.ts';

/** A point of a dump or a restore at which criu waits for us. */
export interface Notification {
  /** `setup-namespaces`, `post-restore`, `orphan-pts-master` … (criu.org/Action_scripts). */
  script: string;
  /** Of the container's first process, where there is one. */
  pid: number;
  /** What came with it; closed when the listener returns. */
  fds: readonly number[];
}

export interface Conversation {
  /** criu's path. */
  program: string;
  env: readonly string[];
  /** What is 0, 1 and 2 of criu. */
  stdio: readonly [number, number, number];
  /** Its descriptors from firstExtraFd on. */
  extraFds?: readonly number[] | undefined;
  /** Where criu is started: calls what it is given. */
  within?: (start: () => Spawned) => Spawned;
  request: CriuRequest;
  /** Told the pid of criu before it is asked anything; what it returns is added to the options. */
  prepare?: (pid: number) => CriuOptions;
  /** When it throws, criu is told to take back what it has done, and the error is thrown in the end. */
  notify?: (notification: Notification) => void;
}

const socketFd = 3;
export const firstExtraFd = 4;

/** Longer than any answer: they are a few numbers and at most one message of criu's log. */
const longestAnswer = 64 * 1024;

/**
 * Starts criu as a worker (`criu swrk`), which ends with tsrun, and asks it one thing. Returns its answer, also
 * when that is a refusal. Throws when criu cannot be started, or ends without an answer.
 */
export function converse(conversation: Conversation): CriuResponse {
  const [ours, theirs] = socketPair();
  let open = true;
  try {
    const criu = start(conversation, theirs);
    try {
      const { prepare, request: asked } = conversation;
      const added = prepare?.(criu.pid);
      say(ours, added === undefined ? asked : { ...asked, opts: { ...asked.opts, ...added } });
      return listen(ours, conversation.notify, () => endOf(criu.pidfd));
    } finally {
      // It ends when there is nobody left to talk to.
      closeSync(ours);
      open = false;
      endOf(criu.pidfd);
      closeSync(criu.pidfd);
    }
  } finally {
    if (open) closeSync(ours);
  }
}

function start(
  { program, env, stdio, extraFds = [], within = (begin) => begin() }: Conversation,
  socket: number,
): Spawned {
  try {
    return within(() =>
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

function say(socket: number, message: CriuRequest): void {
  sendPacket(socket, 'criu', encodeMessage(request, message));
}

function listen(
  socket: number,
  notify: ((notification: Notification) => void) | undefined,
  end: () => number | undefined,
): CriuResponse {
  const failures: unknown[] = [];
  for (;;) {
    const received = receivePacket(socket, 'criu', longestAnswer);
    if (received === undefined) {
      if (failures.length > 0) throw failures[0];
      throw new TsrunError('system', `criu ended with status ${end() ?? 'unknown'} and without an answer`);
    }
    const { packet, fds } = received;
    try {
      const answer = decodeMessage(response, packet);
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
      say(socket, { type: requestTypes.notify, notify_success: failures.length === 0 });
    } finally {
      fds.forEach((fd) => {
        closeSync(fd);
      });
    }
  }
}

/** Waits for its end; undefined when it has been reaped before. */
function endOf(pidfd: number): number | undefined {
  waitPidfd(pidfd, -1);
  try {
    return reap(pidfd);
  } catch (error) {
    if (error instanceof TsrunError) return undefined;
    throw error;
  }
}
