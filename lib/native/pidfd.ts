import { TsrunError } from '../core/error.ts';
import { call, checked } from './library.ts';

/** How long a killed process may take to end; only one that is stuck in the kernel takes longer. */
export const killWaitMs = 10_000;

/** Opens a process (pidfd_open(2)). Returns a descriptor, or -errno: -ESRCH when there is no such process. */
export function pidfdOpen(pid: number): number {
  return call('tsrun_pidfd_open', pid);
}

/**
 * Opens a process that must exist (pidfd_open(2)).
 *
 * @throws TsrunError 'system'
 */
export function openPidfd(pid: number): number {
  return checked(`open process ${pid}`, pidfdOpen(pid));
}

/** Sends a signal by its number. Returns 0, or -errno: -ESRCH when the process has ended. */
export function pidfdSignal(pidfd: number, signal: number): number {
  return call('tsrun_pidfd_signal', pidfd, signal);
}

/**
 * Returns a copy of the descriptor `fd` of the process (pidfd_getfd(2)).
 *
 * @throws TsrunError 'system'
 */
export function pidfdGetfd(pidfd: number, fd: number): number {
  return checked(`fetch descriptor ${fd} of the init`, call('tsrun_pidfd_getfd', pidfd, fd));
}

/**
 * Waits until the process ends, for at most `timeoutMs` (-1: no limit). Returns false when it still runs. Works for
 * any process, not only for children, and leaves the exit status to reap().
 *
 * @throws TsrunError 'system'
 */
export function waitPidfd(pidfd: number, timeoutMs: number): boolean {
  return checked('wait for a process', call('tsrun_wait_pidfd', pidfd, timeoutMs)) === 1;
}

/**
 * Waits until a process that is ending, or was killed, has ended.
 *
 * @throws TsrunError 'system' when it still runs after killWaitMs.
 */
export function waitUntilEnded(pidfd: number, pid: number): void {
  if (waitPidfd(pidfd, killWaitMs)) return;
  throw new TsrunError('system', `process ${pid} still runs after ${killWaitMs / 1000} seconds`, {
    hint: 'it may wait for a device or a network filesystem (state D in ps)',
  });
}

/**
 * Takes the exit status of a child that has ended: 0–255, or 128 + signal. Returns undefined while it runs.
 *
 * @throws TsrunError 'system', with ECHILD for a process that is not our child.
 */
export function reap(pidfd: number): number | undefined {
  const status = new Int32Array(1);
  const result = checked('wait for a child', call('tsrun_reap', pidfd, status));
  return result === 0 ? undefined : status[0];
}
