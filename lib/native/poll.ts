import { errnos } from '../core/errno.ts';
import { call, checked } from './library.ts';

/**
 * Makes a pipe, close-on-exec. Returns the end to read from, then the end to write to.
 *
 * @throws TsrunError 'system'
 */
export function pipe(): [number, number] {
  const ends = new Int32Array(2);
  checked('make a pipe', call('tsrun_pipe', ends));
  const [reader = -1, writer = -1] = ends;
  return [reader, writer];
}

/** The longest time that poll() takes, ms. */
export const longestPollMs = 2 ** 31 - 1;

/**
 * Waits until one of the descriptors can be read or has hung up, for at most `timeoutMs` (-1: no limit). Returns
 * for each whether it is ready. All are false after the time, and after a signal: callers look at the clock.
 *
 * @param fds at most maxPollFds.
 * @throws TsrunError 'system'
 */
export function poll(fds: readonly number[], timeoutMs: number): boolean[] {
  const result = call('tsrun_poll', Int32Array.from(fds), fds.length, timeoutMs);
  if (result === -errnos.EINTR) return fds.map(() => false);
  checked('wait for descriptors', result);
  return fds.map((_, index) => (result & (1 << index)) !== 0);
}
