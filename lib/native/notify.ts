import { closeSync } from 'node:fs';
import { systemError } from '../core/error.ts';
import { native } from './library.ts';
import type { Native } from './library.ts';
import { pipe, poll } from './poll.ts';
import { sendDescriptor } from './socket.ts';

const bindNative: Native<[string, string]> = native('int tsrun_bind_datagram(const char *, const char *)');
const connectNative: Native<[string]> = native('int tsrun_connect_datagram(const char *)');
const forwardNative: Native<[number, number, number]> = native('int tsrun_forward_ready(int, int, int)');

/** What has failed when the manager cannot be told. */
export const notifyFailure = 'tell the service manager that the container is ready';

/**
 * A SOCK_DGRAM socket at `dir`/`name` that everybody who sees it may send to (mode 0777). `name` is one plain
 * file name; `dir` may be as long as a path may be.
 */
export function bindDatagram(dir: string, name: string): number {
  const result = bindNative(dir, name);
  if (result < 0) throw systemError(`listen on ${dir}/${name}`, result);
  return result;
}

/**
 * Connects to the SOCK_DGRAM socket of a service manager: an absolute path of any length, or `@` and an abstract
 * name (unix(7)). A manager that does not read within 30 seconds is an error of the sender (EAGAIN).
 */
export function connectDatagram(path: string): number {
  const result = connectNative(path);
  if (result < 0) throw systemError(`connect to ${path}`, result);
  return result;
}

/**
 * Takes one datagram that waits in `container`. If it says READY=… (sd_notify(3)), the manager is told so, and
 * that `pid` is the service's main process; nothing else the container says goes on. True when it did.
 */
export function forwardReady(container: number, manager: number, pid: number): boolean {
  const result = forwardNative(container, manager, pid);
  if (result < 0) throw systemError(notifyFailure, result);
  return result === 1;
}

/**
 * Waits until the manager has seen all that was sent to it (sd_notify_barrier(3)): to a sender who has ended by
 * then it would not listen. False when that takes longer than `timeoutMs`.
 */
export function notifyBarrier(manager: number, timeoutMs: number): boolean {
  const [reader, writer] = pipe();
  try {
    try {
      sendDescriptor(manager, 'BARRIER=1', writer);
    } finally {
      closeSync(writer);
    }
    // The manager closes its copy of the other end, the last one.
    const end = performance.now() + timeoutMs;
    for (let left = timeoutMs; left > 0; left = end - performance.now()) {
      if (poll([reader], Math.ceil(left))[0] === true) return true;
    }
    return false;
  } finally {
    closeSync(reader);
  }
}
