import { closeSync } from 'node:fs';
import { TsrunError } from '../core/error.ts';
import type { Undo } from '../core/undo.ts';
import { Child } from '../native/child.ts';
import { openPidfd, reap } from '../native/pidfd.ts';
import { executesInit } from './execve-state.ts';

/**
 * Opens the process that the init has named. It is killed when something fails later.
 *
 * A process of the container that can trace the init can send messages in its name: nothing is taken for the init but
 * a child of tsrun that executes the init's memfd. Other children of tsrun are processes of the host: hooks leave
 * daemons to a subreaper, and a shell may have given its children to tsrun by execve(2).
 *
 * @param initImage what the init executes, as `dev:ino`: a memfd of this launch only.
 * @throws TsrunError 'init' for any other process, which is left alone.
 */
export function openChild(pid: number, initImage: string, undo: Undo): Child {
  const pidfd = openPidfd(pid);
  const child = new Child(pid, pidfd);
  try {
    // Before a child that has ended is reaped: its name in /proc goes with it.
    const isInit = executesInit(pid, initImage);
    child.status = reap(pidfd);
    if (!isInit) throw new TsrunError('init', `process ${pid} does not execute the init`);
  } catch (cause) {
    closeSync(pidfd);
    throw new TsrunError('init', `the init named process ${pid}, which is no init of this tsrun`, { cause });
  }
  ownChild(child, undo);
  return child;
}

/** Has the child killed when something fails later, and its descriptor closed in any case. */
export function ownChild(child: Child, undo: Undo): void {
  undo.always(`close the descriptor of process ${child.pid}`, () => {
    child.close();
  });
  undo.onFailure(`kill process ${child.pid}`, () => {
    child.kill();
  });
}
