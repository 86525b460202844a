/** The processes of a cgroup and of all cgroups below it. */
import { fileError } from '../core/error.ts';
import { hasErrno } from '../core/errno.ts';
import { isGone, readText } from './files.ts';
import { inside, walk } from './walk.ts';

/** Pids of all processes in the cgroup and below it, each once; none when it does not exist. */
export function processesBelow(root: string): number[] {
  const pids = new Set<number>();
  walk(root, (directory) => {
    try {
      for (const line of readText(inside(directory, 'cgroup.procs')).split('\n')) {
        const pid = Number(line);
        // 0 is a process of a pid namespace we do not see; as an argument of kill(2) it is our own group.
        if (pid > 0) pids.add(pid);
      }
    } catch (error) {
      // The processes of a threaded cgroup are listed in the domain it belongs to (cgroups(7), "Thread mode").
      if (!isGone(error) && !hasErrno(error, 'EOPNOTSUPP'))
        throw fileError(`read cgroup ${String(directory)}`, error);
    }
  });
  return [...pids];
}

/**
 * Sends `signal` to every process that `list` returns, until it returns none that has not had it: a process may
 * have forked before the signal reached it. A signal of 0 sends nothing.
 */
export function signalAll(list: () => readonly number[], signal: number): void {
  const done = new Set<number>();
  for (;;) {
    const next = list().filter((pid) => !done.has(pid));
    if (next.length === 0) return;
    for (const pid of next) {
      done.add(pid);
      sendSignal(pid, signal);
    }
  }
}

/** A process that has ended needs no signal. */
function sendSignal(pid: number, signal: number): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!hasErrno(error, 'ESRCH')) {
      throw fileError(`send signal ${String(signal)} to process ${String(pid)}`, error);
    }
  }
}
