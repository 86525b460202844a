import koffi from 'koffi';

const libc = koffi.load('libc.so.6');
const prctl = libc.func('int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)');
const waitpid = libc.func('int waitpid(int, _Out_ int *, int)');

const PR_SET_CHILD_SUBREAPER = 36;
const WNOHANG = 1;

/** Makes this process the parent of every orphan among its descendants, as containerd's shim and conmon are. */
export function becomeSubreaper(): void {
  if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) !== 0)
    throw new Error('prctl(PR_SET_CHILD_SUBREAPER) failed');
}

/** How a process ended, as a shell tells it: the status, or 128 + the signal. */
export function reap(pid: number): number | undefined {
  const status = [0];
  if (waitpid(pid, status, WNOHANG) !== pid) return undefined;
  const value = status[0] ?? 0;
  const signal = value & 0x7f;
  return signal === 0 ? (value >> 8) & 0xff : 128 + signal;
}
