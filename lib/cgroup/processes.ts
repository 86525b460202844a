import { failedWith, ioError } from './files.ts';

/**
 * Sends `signal` to every process `list` returns, until it returns none that has not had it: a process may
 * have forked before the signal reached it. A signal of 0 sends nothing.
 */
export function signalAll(list: () => readonly number[], signal: number): void {
  const done = new Set<number>();
  for (;;) {
    const next = list().filter((pid) => !done.has(pid));
    if (next.length === 0) return;
    for (const pid of next) {
      done.add(pid);
      send(pid, signal);
    }
  }
}

function send(pid: number, signal: number): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (failedWith(error, 'ESRCH')) return;
    throw ioError(`send signal ${String(signal)} to process ${String(pid)}`, error);
  }
}
