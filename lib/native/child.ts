import { closeSync } from 'node:fs';
import { TsrunError } from '../core/error.ts';
import { pidfdSignal, reap, waitPidfd } from './process.ts';

const sigkill = 9;
/** For a killed process to be gone; only one that is stuck in the kernel takes longer. */
export const killWaitMs = 10_000;

/** A child process of ours, which has to be reaped. */
export class Child {
  readonly pid: number;
  readonly pidfd: number;
  /** Exit status as a shell shows it, once it is reaped. */
  status: number | undefined;

  constructor(pid: number, pidfd: number) {
    this.pid = pid;
    this.pidfd = pidfd;
  }

  /** Waits for its end and reaps it. Throws when it still runs after ten seconds. */
  end(): number {
    if (this.status !== undefined) return this.status;
    waitUntilGone(this.pidfd, this.pid);
    this.status = reap(this.pidfd) ?? 0;
    return this.status;
  }

  kill(): void {
    if (this.status !== undefined) return;
    pidfdSignal(this.pidfd, sigkill);
    this.end();
  }

  close(): void {
    closeSync(this.pidfd);
  }
}

/** Waits for a process that is ending or was killed. */
export function waitUntilGone(pidfd: number, pid: number): void {
  if (waitPidfd(pidfd, killWaitMs)) return;
  throw new TsrunError('system', `process ${pid} still runs after ${killWaitMs / 1000} seconds`, {
    hint: 'it may wait for a device or a network filesystem (state D in ps)',
  });
}
