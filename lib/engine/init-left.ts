import { closeSync, readFileSync } from 'node:fs';
import { pidfdOpen, waitPidfd } from '../native/pidfd.ts';
import { executableIdentity, processStat } from '../host/proc.ts';

/** What the init calls itself (native-shim/init/main.c) until execve(2) gives the process another name. */
const initName = 'tsrun-init';

/** A process that is being killed has closed its files, but is not a zombie yet; it will be in no time. */
const endingMs = 10_000;

/**
 * True when the process has ended, or is ending, without ever having run the user's program. The init's socket
 * is closed then, too, just as after a successful execve. `initImage` is what the init executes, as `dev:ino`.
 * Says false when nothing is left of the process to ask.
 */
export function endedAsInit(pid: number, initImage: string | undefined): boolean {
  if (!executesInit(pid, initImage)) return false;
  awaitEnding(pid);
  const state = processStat(pid)?.state;
  return (state === 'Z' || state === 'X') && isNamedInit(pid);
}

/** True when the process executes the init no longer, or has ended. */
export function hasLeftInit(pid: number, initImage: string | undefined): boolean {
  const state = processStat(pid)?.state;
  if (state === undefined || state === 'Z' || state === 'X') return true;
  return !executesInit(pid, initImage);
}

function executesInit(pid: number, initImage: string | undefined): boolean {
  const image = executableIdentity(pid);
  // Unreadable: not ours to see (rootless), or its memory is gone already.
  return image === undefined ? isNamedInit(pid) : `${image.dev}:${image.ino}` === initImage;
}

function isNamedInit(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd() === initName;
  } catch {
    return false;
  }
}

function awaitEnding(pid: number): void {
  const pidfd = pidfdOpen(pid);
  if (pidfd < 0) return;
  try {
    waitPidfd(pidfd, endingMs);
  } finally {
    closeSync(pidfd);
  }
}
