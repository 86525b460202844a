import { closeSync } from 'node:fs';
import { call, checked } from './library.ts';
import { pipe, poll } from './poll.ts';
import { sendDescriptor } from './socket.ts';

/** What has failed when READY=1 does not reach the service manager. */
export const notifyFailure = 'tell the service manager that the container is ready';

/**
 * Makes a SOCK_DGRAM socket at `dir`/`name` that everybody who can reach it may send to (mode 0777). `name` is one
 * file name; `dir` may have any length.
 *
 * @throws TsrunError 'system'
 */
export function bindDatagram(dir: string, name: string): number {
  return checked(`listen on ${dir}/${name}`, call('tsrun_bind_datagram', dir, name));
}

/**
 * Connects to the SOCK_DGRAM socket of a service manager: an absolute path of any length, or `@` and an abstract
 * name (unix(7)). Sending fails with EAGAIN when the manager does not read within 30 seconds.
 *
 * @throws TsrunError 'system'
 */
export function connectDatagram(path: string): number {
  return checked(`connect to ${path}`, call('tsrun_connect_datagram', path));
}

/**
 * Receives one datagram from the socket `container`, if there is one. When it says READY=… (sd_notify(3)), tells the
 * manager so, and that `pid` is the main process of the service, and returns true. Forwards nothing else.
 *
 * @throws TsrunError 'system'
 */
export function forwardReady(container: number, manager: number, pid: number): boolean {
  return checked(notifyFailure, call('tsrun_forward_ready', container, manager, pid)) === 1;
}

/**
 * Waits until the manager has received everything sent to it (sd_notify_barrier(3)): it drops messages of a sender
 * that has ended. Returns false when that takes longer than `timeoutMs`.
 */
export function notifyBarrier(manager: number, timeoutMs: number): boolean {
  const [reader, writer] = pipe();
  try {
    try {
      sendDescriptor(manager, 'BARRIER=1', writer);
    } finally {
      closeSync(writer);
    }
    // The manager closes the last copy of the writing end.
    const end = performance.now() + timeoutMs;
    for (let left = timeoutMs; left > 0; left = end - performance.now()) {
      if (poll([reader], Math.ceil(left))[0] === true) return true;
    }
    return false;
  } finally {
    closeSync(reader);
  }
}
