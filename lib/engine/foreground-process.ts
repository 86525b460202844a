import { closeSync } from 'node:fs';
import { systemError } from '../core/error.ts';
import { pidfdOpen } from '../native/pidfd.ts';
import { copyTerminalSize } from '../native/terminal.ts';
import { receiveDescriptor } from '../native/socket.ts';
import type { Child } from '../native/child.ts';
import type { Undo } from '../core/undo.ts';

/** A process of a container that runs in the foreground. */
export interface Running {
  pid: number;
  /** Ours to close. */
  pidfd: number;
  /** The terminal's master, or -1. */
  master: number;
}

/** What the foreground needs of a process. The terminal has its size before the program can ask for it. */
export function takeRunning(
  { init: { pid }, undo }: { init: Child; undo: Undo },
  consoleSocket: number | undefined,
): Running {
  const keep = (what: string, fd: number): number => {
    undo.onFailure(`close the ${what}`, () => {
      closeSync(fd);
    });
    return fd;
  };
  // Still our child: not reaped yet, so the pid is its own even when it has ended.
  const pidfd = pidfdOpen(pid);
  if (pidfd < 0) throw systemError(`open process ${pid}`, pidfd);
  keep('pidfd', pidfd);
  if (consoleSocket === undefined) return { pid, pidfd, master: -1 };
  const master = keep('terminal', receiveDescriptor(consoleSocket).fd);
  copyTerminalSize(master);
  return { pid, pidfd, master };
}
