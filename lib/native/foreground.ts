import { systemError } from '../core/error.ts';
import type { TsrunError } from '../core/error.ts';
import { native } from './library.ts';
import type { Native } from './library.ts';
import { notifyFailure } from './notify.ts';

const holdNative: Native<[]> = native('int tsrun_hold_signals()');
const releaseNative: Native<[]> = native('int tsrun_release_signals()');
const foregroundNative: Native<[number, number, number, Int32Array]> = native(
  'int tsrun_foreground(int, int, int, void *)',
);
const copySizeNative: Native<[number]> = native('int tsrun_copy_terminal_size(int)');
const isTerminalNative: Native<[number]> = native('int tsrun_is_terminal(int)');

/** isatty(3), without node:tty, which takes node's networking with it. */
export function isTerminal(fd: number): boolean {
  return isTerminalNative(fd) === 1;
}

/** A descriptor for each of stdin, stdout and stderr. */
export type StdioEnds = readonly [stdin: number, stdout: number, stderr: number];

/** Sockets of sd_notify(3); they stay the caller's. */
export interface Notify {
  /** Where the container speaks. */
  container: number;
  /** Connected to the service manager. */
  manager: number;
  failed: (error: TsrunError) => void;
}

/**
 * From here on, signals sent to tsrun are kept for the container instead of ending tsrun; foreground() hands
 * them over. Without this call foreground() does it itself, and a signal during `create` ends tsrun.
 */
export function holdSignals(): void {
  const result = holdNative();
  if (result < 0) throw systemError('catch signals', result);
}

/** Undoes holdSignals(); signals not handed over are forgotten. foreground() does it itself when it returns. */
export function releaseSignals(): void {
  const result = releaseNative();
  if (result < 0) throw systemError('restore signals', result);
}

/**
 * Gives a pty, by its master, the size of tsrun's terminal; without one it keeps what it has. foreground() does
 * it as well, but a program that asks at once would be faster.
 */
export function copyTerminalSize(master: number): void {
  const result = copySizeNative(master);
  if (result < 0) throw systemError('set the size of the terminal', result);
}

/**
 * Waits for our child `pid` (whose pidfd is `pidfd`) to end and returns its exit status: 0–255, or
 * 128 + signal. Meanwhile every signal that can be is forwarded to it, and other children that end (orphans,
 * when tsrun is a subreaper) are reaped.
 *
 * With a pty `master`, which it takes over and closes, tsrun's terminal is raw and connected to that pty until
 * the child has ended and its last output is written.
 *
 * With `pipes`, our ends of those that the child has as stdin, stdout and stderr (-1 where it has something else),
 * which it takes over and closes, tsrun's own stdio is connected to them until the child has ended.
 *
 * With `notify`, the first READY=… that comes from the container goes to the service manager (forwardReady of
 * notify.ts), with tsrun as the service's process; that it could not be sent goes to `failed`.
 */
export function foreground(
  pidfd: number,
  pid: number,
  master = -1,
  notify?: Notify,
  [stdin, stdout, stderr]: StdioEnds = [-1, -1, -1],
): number {
  const sockets = Int32Array.of(notify?.container ?? -1, notify?.manager ?? -1, stdin, stdout, stderr);
  const result = foregroundNative(pidfd, pid, master, sockets);
  if (result < 0) throw systemError(`wait for process ${String(pid)}`, result);
  const [notified = 0] = sockets;
  if (notified < 0) notify?.failed(systemError(notifyFailure, notified));
  return result;
}
