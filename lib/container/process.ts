import { closeSync } from 'node:fs';
import { systemError } from '../errors.ts';
import { pidfdOpen, pidfdSignal } from '../host/child.ts';
import { isAlive } from '../host/proc.ts';
import { waitUntilGone } from './child.ts';
import type { ProcessRef } from './record.ts';

/**
 * Opens a pidfd of the process and hands it to `use`; undefined when the process has ended, even if another
 * one has its pid now.
 */
export function withPidfd<T>({ pid, startTime }: ProcessRef, use: (pidfd: number) => T): T | undefined {
  const pidfd = pidfdOpen(pid);
  if (pidfd < 0) return undefined;
  try {
    // Looked at after the descriptor is open: from then on nobody else can become what it stands for.
    return isAlive(pid, startTime) ? use(pidfd) : undefined;
  } finally {
    closeSync(pidfd);
  }
}

const esrch = -3;
const sigkill = 9;

/** Sends a signal; false when the process has ended. */
export function signalProcess(process: ProcessRef, signal: number): boolean {
  const result = withPidfd(process, (pidfd) => pidfdSignal(pidfd, signal));
  if (result === undefined || result === esrch) return false;
  if (result < 0) throw systemError(`send signal ${signal} to process ${process.pid}`, result);
  return true;
}

/** Kills a process and waits until it is gone; fine when it has ended already. */
export function stopProcess(process: ProcessRef): void {
  withPidfd(process, (pidfd) => {
    pidfdSignal(pidfd, sigkill);
    waitUntilGone(pidfd, process.pid);
  });
}

/** Waits for a process that is about to end. */
export function awaitEnd(process: ProcessRef): void {
  withPidfd(process, (pidfd) => {
    waitUntilGone(pidfd, process.pid);
  });
}
