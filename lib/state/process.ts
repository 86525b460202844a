import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { TsrunError, systemError } from '../core/error.ts';
import { pidfdOpen, pidfdSignal, waitPidfd, waitUntilEnded } from '../native/pidfd.ts';
import { isAlive, processStat } from '../host/proc.ts';
import type { ProcessRef } from './record.ts';

/**
 * Opens a pidfd of the process and hands it to `use`; undefined when the process has ended, even if another
 * one has its pid now.
 */
export function withPidfd<T>({ pid, startTime }: ProcessRef, use: (pidfd: number) => T): T | undefined {
  const pidfd = pidfdOpen(pid);
  if (pidfd < 0) {
    if (noSuchProcess.includes(pidfd)) return undefined;
    // It may well run: whoever takes it for ended loses it.
    throw systemError(`open process ${pid}`, pidfd);
  }
  try {
    // Looked at after the descriptor is open: from then on nobody else can become what it stands for.
    if (isAlive(pid, startTime)) return use(pidfd);
    if (processStat(pid) === undefined && !waitPidfd(pidfd, 0)) throw hidden(pid);
    return undefined;
  } finally {
    closeSync(pidfd);
  }
}

function hidden(pid: number): TsrunError {
  return new TsrunError(
    'system',
    `it cannot be told whether process ${pid} is the container's: /proc hides it`,
    {
      hint: 'be its owner or root (hidepid in proc(5))',
    },
  );
}

/** Without the process; and where its pid is that of a thread now, by what the kernel's versions say. */
const noSuchProcess = [-constants.errno.ESRCH, -constants.errno.EINVAL, -constants.errno.ENOENT];

const esrch = -constants.errno.ESRCH;

/** Sends a signal; false when the process has ended. */
export function signalProcess(process: ProcessRef, signal: number): boolean {
  const result = withPidfd(process, (pidfd) => pidfdSignal(pidfd, signal));
  if (result === undefined || result === esrch) return false;
  if (result < 0) throw systemError(`send signal ${signal} to process ${process.pid}`, result);
  return true;
}

/** Waits for a process that is about to end. */
export function awaitEnd(process: ProcessRef): void {
  withPidfd(process, (pidfd) => {
    waitUntilEnded(pidfd, process.pid);
  });
}
