import { constants as os } from 'node:os';
import { systemError } from '../core/error.ts';
import { native } from './library.ts';
import type { Native } from './library.ts';

const pipeNative: Native<[Int32Array]> = native('int tsrun_pipe(void *)');
const pollNative: Native<[Int32Array, number, number]> = native(
  'int tsrun_poll(const void *, unsigned int, int)',
);

/** A pipe, close-on-exec: the end to read from, the end to write to. */
export function pipe(): [number, number] {
  const ends = new Int32Array(2);
  const result = pipeNative(ends);
  if (result < 0) throw systemError('make a pipe', result);
  const [reader = -1, writer = -1] = ends;
  return [reader, writer];
}

/**
 * Waits until one of at most 8 descriptors (pipes, sockets, pidfds) can be read or has hung up, for at most
 * `timeoutMs` (-1: for ever). Says for each whether it is ready; all false after the time or a signal, so
 * callers look at their own clock.
 */
export function poll(fds: readonly number[], timeoutMs: number): boolean[] {
  const result = pollNative(Int32Array.from(fds), fds.length, timeoutMs);
  if (result === -os.errno.EINTR) return fds.map(() => false);
  if (result < 0) throw systemError('wait for descriptors', result);
  return fds.map((_, index) => (result & (1 << index)) !== 0);
}
