import { systemError, type TsrunError } from '../core/error.ts';
import { call, checked } from './library.ts';
import { notifyFailure } from './notify.ts';

/** A descriptor for each of stdin, stdout and stderr. */
export type StdioEnds = readonly [stdin: number, stdout: number, stderr: number];

/** Sockets of sd_notify(3); the caller closes them. */
export interface Notify {
  /** Receives what the container sends. */
  container: number;
  /** Connected to the service manager. */
  manager: number;
  failed: (error: TsrunError) => void;
}

/**
 * Keeps the signals that tsrun gets from now on, instead of ending tsrun; foreground() hands them to the container.
 * foreground() calls this itself, but a signal before that call ends tsrun.
 *
 * @throws TsrunError 'system'
 */
export function holdSignals(): void {
  checked('catch signals', call('tsrun_hold_signals'));
}

/** The last SIGTERM, SIGINT, SIGHUP or SIGQUIT that came since holdSignals(), by number; undefined for none. */
export function heldEndSignal(): number | undefined {
  const signal = call('tsrun_held_end');
  return signal === 0 ? undefined : signal;
}

/**
 * Undoes holdSignals(), as foreground() does when it returns. Signals that were kept are dropped.
 *
 * @throws TsrunError 'system'
 */
export function releaseSignals(): void {
  checked('restore signals', call('tsrun_release_signals'));
}

/**
 * Waits until the child `pid` ends. Returns its exit status, 0–255, or 128 + signal. Until then it forwards every
 * signal that can be forwarded, and reaps other children that end (orphans, when tsrun is a subreaper).
 *
 * @param pidfd of the child.
 * @param master of the child's pty, or -1. foreground() closes it. tsrun's terminal is raw and connected to that pty
 *   until the child has ended and its last output is written.
 * @param notify The first READY=… from the container goes to the service manager (forwardReady() of notify.ts), with
 *   tsrun as the process of the service. `failed` gets the error when it could not be sent.
 * @param pipes our ends of the pipes that are the child's stdin, stdout and stderr, -1 where there is none.
 *   foreground() connects tsrun's own stdio with them and closes them.
 * @throws TsrunError 'system'
 */
export function foreground(
  pidfd: number,
  pid: number,
  master = -1,
  notify?: Notify,
  pipes: StdioEnds = [-1, -1, -1],
): number {
  const fds = Int32Array.of(notify?.container ?? -1, notify?.manager ?? -1, ...pipes);
  const result = call('tsrun_foreground', pidfd, pid, master, fds);
  const status = checked(`wait for process ${String(pid)}`, result);
  const [notified = 0] = fds;
  if (notified < 0) notify?.failed(systemError(notifyFailure, notified));
  return status;
}
