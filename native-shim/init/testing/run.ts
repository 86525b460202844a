import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installation } from '../../../lib/native/install.ts';
import { pidfdOpen, pidfdSignal, reap, waitPidfd } from '../../../lib/native/pidfd.ts';
import { type Message, receiveMessage, sendMessage } from '../../../lib/engine/message-packet.ts';
import { sealedMemfd, sealedMemfdOfFile } from '../../../lib/native/memfd.ts';
import { socketPair } from '../../../lib/native/socket.ts';
import { spawn } from '../../../lib/native/spawn.ts';
import { messages, slots } from '../../../lib/plan/wire.ts';
import { encodePlan, type TestOp } from './plan.ts';

export interface InitRequest {
  /** Operations, or a whole plan in bytes. */
  plan: readonly TestOp[] | Buffer;
  slotCount?: number;
  /** Descriptors the container keeps, from 3 on; -1 leaves a gap. */
  keep?: readonly number[];
  /** Descriptors of the first slots besides `sync`, by slot. */
  slots?: Readonly<Record<number, number>>;
  /** Program that executes the init at last, with the init's own arguments after these. */
  wrap?: readonly string[];
  /** Called at every sync point with B's pid. Descriptors it returns go with `go`; false: hang up. */
  atSync?: (point: number, pid: number) => readonly number[] | false | undefined;
  /** Called with the listener of a filter and B's pid, before its `go`; the listener is closed after it. */
  atListener?: (listener: number, pid: number) => void;
  /** Called when B waits for `start`; the sync socket is closed after it. */
  atWaiting?: (pid: number) => void;
  stdin?: number;
}

export interface InitResult {
  /** All messages but `pid` and `sync`. */
  messages: Message[];
  syncPoints: number[];
  /** Of B, and of A when there was no B: exit status, or 128 + signal. */
  status: number | undefined;
  stdout: string;
  stderr: string;
}

/** How long any one step of the init may take before the test gives it up. */
const patience = 10_000;

/** Runs the init on a plan as the engine would, to the end of the process it makes. */
export function runInit(request: InitRequest): InitResult {
  const folder = mkdtempSync(join(tmpdir(), 'tsrun-init-'));
  const plan = Buffer.isBuffer(request.plan) ? request.plan : encodePlan(request.plan, request.slotCount);
  const opened: number[] = [];
  const open = (fd: number): number => {
    opened.push(fd);
    return fd;
  };
  try {
    const [ours, theirs] = socketPair();
    const planFd = open(sealedMemfd('plan', plan));
    const out = open(openSync(join(folder, 'stdout'), 'w'));
    const err = open(openSync(join(folder, 'stderr'), 'w'));
    const keep = request.keep ?? [];
    const slotFds = Array.from({ length: slots.first }, (_, slot) =>
      slot === slots.sync ? theirs : (request.slots?.[slot] ?? -1),
    );
    const init = installation().init;
    const wrap = request.wrap ?? [];
    const args = ['tsrun-init', String(3 + keep.length)];
    const spawned = spawn({
      executable: wrap[0] ?? open(sealedMemfdOfFile('init', init)),
      args: wrap.length > 0 ? [...wrap, ...args.slice(1)] : args,
      env: [],
      fds: [request.stdin ?? open(openSync('/dev/null', 'r')), out, err, ...keep, planFd, ...slotFds],
      restoreLimits: false,
    });
    closeSync(theirs);
    const conversation = talk(ours, request);
    const first = finish(spawned.pidfd);
    const status = conversation.pidfd === undefined ? first : finish(conversation.pidfd);
    return {
      messages: conversation.messages,
      syncPoints: conversation.syncPoints,
      status,
      stdout: readFileSync(join(folder, 'stdout'), 'utf8'),
      stderr: readFileSync(join(folder, 'stderr'), 'utf8'),
    };
  } finally {
    for (const fd of opened) closeSync(fd);
    rmSync(folder, { recursive: true });
  }
}

interface Conversation {
  messages: Message[];
  syncPoints: number[];
  pid: number;
  pidfd: number | undefined;
}

/** Receives and answers messages until the init hangs up, or a callback does; closes `sock`. */
function talk(sock: number, request: InitRequest): Conversation {
  const seen: Conversation = { messages: [], syncPoints: [], pid: -1, pidfd: undefined };
  try {
    while (answerOne(sock, request, seen));
  } finally {
    closeSync(sock);
  }
  return seen;
}

/** False at the end of the conversation. */
function answerOne(sock: number, request: InitRequest, seen: Conversation): boolean {
  const received = receiveMessage(sock, patience);
  if (received === undefined) return false;
  const { message, fds } = received;
  if (message.type === messages.pid) {
    // The process before it ends when it has reported the pid.
    if (seen.pidfd !== undefined) finish(seen.pidfd);
    seen.pid = message.value;
    seen.pidfd = pidfdOpen(seen.pid);
  } else if (message.type === messages.sync) {
    seen.syncPoints.push(message.value);
    const answer = request.atSync?.(message.value, seen.pid);
    if (answer === false) return false;
    go(sock, answer);
  } else if (message.type === messages.listener) {
    for (const fd of fds) {
      request.atListener?.(fd, seen.pid);
      closeSync(fd);
    }
    go(sock);
  } else {
    seen.messages.push(message);
    if (message.type === messages.waiting) request.atWaiting?.(seen.pid);
  }
  return true;
}

function go(sock: number, fds: readonly number[] = []): void {
  sendMessage(sock, { type: messages.go, op: 0, errno: 0, value: 0, detail: '' }, fds);
}

function finish(pidfd: number): number | undefined {
  if (pidfd < 0) return undefined;
  try {
    if (!waitPidfd(pidfd, patience)) {
      pidfdSignal(pidfd, 9);
      waitPidfd(pidfd, -1);
      reap(pidfd);
      throw new Error('the init hangs');
    }
    return reapEnded(pidfd);
  } finally {
    closeSync(pidfd);
  }
}

/** The status of a child that has ended. One that is traced is its parent's only when the tracer has seen it. */
export function reapEnded(pidfd: number): number | undefined {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  let status = reap(pidfd);
  for (let i = 0; i < patience && status === undefined; i++) {
    Atomics.wait(pause, 0, 0, 1);
    status = reap(pidfd);
  }
  return status;
}
