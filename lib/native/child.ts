import { closeSync } from 'node:fs';
import { sigkill } from '../host/signals.ts';
import { call, checked } from './library.ts';
import { pidfdSignal, reap, waitUntilEnded } from './pidfd.ts';

/** A child process, which has to be reaped. */
export class Child {
  readonly pid: number;
  readonly pidfd: number;
  /** The exit status, or 128 + signal; undefined until the child is reaped. */
  status: number | undefined;

  constructor(pid: number, pidfd: number) {
    this.pid = pid;
    this.pidfd = pidfd;
  }

  /**
   * Waits until it ends and reaps it. Returns its status; undefined when that is unknown, since the kernel keeps it for
   * a tracer that has not taken it yet (ptrace(2)).
   *
   * @throws TsrunError 'system' when it still runs after killWaitMs.
   */
  end(): number | undefined {
    if (this.status !== undefined) return this.status;
    waitUntilEnded(this.pidfd, this.pid);
    this.status = reap(this.pidfd);
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

/**
 * Makes orphaned descendants our children, or no longer (PR_SET_CHILD_SUBREAPER of prctl(2)). Children do not
 * inherit it.
 *
 * @throws TsrunError 'system'
 */
export function setSubreaper(on: boolean): void {
  checked('become a subreaper', call('tsrun_subreaper', on ? 1 : 0));
}
