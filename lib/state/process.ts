import { closeSync } from 'node:fs';
import { errnos } from '../core/errno.ts';
import { TsrunError, systemError } from '../core/error.ts';
import { pidfdOpen, pidfdSignal, waitPidfd, waitUntilEnded } from '../native/pidfd.ts';
import { isAlive, processStartTime, processStat } from '../host/proc.ts';
import type { ProcessRef } from './record.ts';

/**
 * Calls `use` with a pidfd of the process, which is closed afterwards. Undefined when the process has ended, even if
 * another one has its pid now.
 *
 * @throws TsrunError 'system' when the kernel does not tell whether it runs
 */
export function withPidfd<T>({ pid, startTime }: ProcessRef, use: (pidfd: number) => T): T | undefined {
  const pidfd = pidfdOpen(pid);
  if (pidfd < 0) {
    if (noSuchProcess.includes(pidfd)) return undefined;
    // The process may still run: it must not be taken for ended.
    throw systemError(`open process ${pid}`, pidfd);
  }
  try {
    // Checked after the pidfd is open: from then on it stands for one process only.
    if (isAlive(pid, startTime)) return use(pidfd);
    if (processStat(pid) === undefined && !waitPidfd(pidfd, 0)) throw hidden(pid);
    return undefined;
  } finally {
    closeSync(pidfd);
  }
}

function hidden(pid: number): TsrunError {
  return new TsrunError('system', `cannot check whether process ${pid} is the container's: /proc hides it`, {
    hint: 'run tsrun as its owner or as root (hidepid in proc(5))',
  });
}

/** pidfd_open(2) without such a process. The last two: its pid is now that of a thread; kernels differ in the errno. */
const noSuchProcess = [-errnos.ESRCH, -errnos.EINVAL, -errnos.ENOENT];

const esrch = -errnos.ESRCH;

/** The reference to a process that is not reaped yet, so that /proc has its start time. */
export function processRef(pid: number): ProcessRef {
  const startTime = processStartTime(pid);
  if (startTime === undefined) {
    throw new TsrunError('system', `/proc/${pid}/stat cannot be read`, {
      hint: 'tsrun needs the procfs of its own pid namespace on /proc',
    });
  }
  return { pid, startTime };
}

/**
 * Sends a signal; false when the process has ended.
 *
 * @throws TsrunError 'system' when the kernel refuses
 */
export function signalProcess(target: ProcessRef, signal: number): boolean {
  const result = withPidfd(target, (pidfd) => pidfdSignal(pidfd, signal));
  if (result === undefined || result === esrch) return false;
  if (result < 0) throw systemError(`send signal ${signal} to process ${target.pid}`, result);
  return true;
}

/** Waits for the end of a process that was killed or exits by itself. */
export function waitForEnd(target: ProcessRef): void {
  withPidfd(target, (pidfd) => {
    waitUntilEnded(pidfd, target.pid);
  });
}
