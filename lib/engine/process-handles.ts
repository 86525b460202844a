import { closeSync } from 'node:fs';
import { openPidfd } from '../native/pidfd.ts';
import { copyTerminalSize } from '../native/terminal.ts';
import { receiveDescriptor } from '../native/socket.ts';
import type { Undo } from '../core/undo.ts';

/** What foreground() needs of a process. */
export interface ProcessHandles {
  pid: number;
  /** The caller closes it. */
  pidfd: number;
  /** The terminal's master, or -1. */
  master: number;
}

/**
 * Collects what foreground() needs of a child of tsrun, whose program does not run yet: the terminal has its size
 * before the program can read it.
 *
 * @param consoleSocket where the init has sent the terminal's master; undefined without a terminal
 */
export function openProcessHandles(
  pid: number,
  consoleSocket: number | undefined,
  undo: Undo,
): ProcessHandles {
  const closeOnFailure = (what: string, fd: number): number => {
    undo.onFailure(`close the ${what}`, () => {
      closeSync(fd);
    });
    return fd;
  };
  // It is not reaped yet, so no other process can have its pid.
  const pidfd = openPidfd(pid);
  closeOnFailure('pidfd', pidfd);
  if (consoleSocket === undefined) return { pid, pidfd, master: -1 };
  const master = closeOnFailure('terminal', receiveDescriptor(consoleSocket).fd);
  copyTerminalSize(master);
  return { pid, pidfd, master };
}
