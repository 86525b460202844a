import { systemError } from '../core/error.ts';
import { native } from './library.ts';
import type { Native } from './library.ts';

const pidfdOpenNative: Native<[number]> = native('int tsrun_pidfd_open(int)');
const pidfdSignalNative: Native<[number, number]> = native('int tsrun_pidfd_signal(int, int)');
const pidfdGetfdNative: Native<[number, number]> = native('int tsrun_pidfd_getfd(int, int)');
const waitNative: Native<[number, number]> = native('int tsrun_wait_pidfd(int, int)');
const reapNative: Native<[number, Int32Array]> = native('int tsrun_reap(int, void *)');
const subreaperNative: Native<[number]> = native('int tsrun_subreaper(int)');

/** A descriptor for the process (pidfd_open(2)), or -errno: -ESRCH when there is no such process. */
export function pidfdOpen(pid: number): number {
  return pidfdOpenNative(pid);
}

/** Sends a signal by number; 0, or -errno: -ESRCH when the process has ended. */
export function pidfdSignal(pidfd: number, signal: number): number {
  return pidfdSignalNative(pidfd, signal);
}

/** A copy of the descriptor `fd` of the process (pidfd_getfd(2)). */
export function pidfdGetfd(pidfd: number, fd: number): number {
  const result = pidfdGetfdNative(pidfd, fd);
  if (result < 0) throw systemError(`fetch descriptor ${fd} of the init`, result);
  return result;
}

/**
 * Waits until the process ends, for at most `timeoutMs` (-1: for ever); false when it still runs. Works for
 * any process, not only for children, and leaves the exit status to reap().
 */
export function waitPidfd(pidfd: number, timeoutMs: number): boolean {
  const result = waitNative(pidfd, timeoutMs);
  if (result < 0) throw systemError('wait for a process', result);
  return result === 1;
}

/**
 * Takes the exit status of a child that has ended, as a shell shows it: 0–255, or 128 + signal. Undefined
 * while it runs; throws ECHILD for a process that is not our child.
 */
export function reap(pidfd: number): number | undefined {
  const status = new Int32Array(1);
  const result = reapNative(pidfd, status);
  if (result < 0) throw systemError('wait for a child', result);
  return result === 0 ? undefined : status[0];
}

/** PR_SET_CHILD_SUBREAPER: orphaned descendants become our children. Not inherited by children. */
export function setSubreaper(on: boolean): void {
  const result = subreaperNative(on ? 1 : 0);
  if (result < 0) throw systemError('become a subreaper', result);
}
