import { readFileSync } from 'node:fs';
import { processStat } from '../host/proc.ts';

/** What the init calls itself (native-shim/init/main.c) until execve(2) gives the process another name. */
const initName = 'tsrun-init';

/**
 * True when the process has ended without ever having run the user's program. The init's socket is closed
 * then, too, just as after a successful execve. Says false when nothing is left of the process to ask.
 */
export function endedAsInit(pid: number): boolean {
  const state = processStat(pid)?.state;
  if (state !== 'Z' && state !== 'X') return false;
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd() === initName;
  } catch {
    return false;
  }
}
