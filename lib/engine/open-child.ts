import { closeSync } from 'node:fs';
import { TsrunError, systemError } from '../core/error.ts';
import type { Undo } from '../core/undo.ts';
import { Child } from '../native/child.ts';
import { pidfdOpen, reap } from '../native/pidfd.ts';

/**
 * Opens the process that the init has named. It is killed when something fails later.
 *
 * A process of the container that can trace the init can send messages in its name: nothing but a child of tsrun is
 * taken for the init.
 * @throws TsrunError 'init' for any other process
 */
export function openChild(pid: number, undo: Undo): Child {
  const pidfd = pidfdOpen(pid);
  if (pidfd < 0) throw systemError(`open process ${pid}`, pidfd);
  const child = new Child(pid, pidfd);
  try {
    // waitid(2) knows whose child it is; procfs may hide it.
    child.status = reap(pidfd);
  } catch (cause) {
    closeSync(pidfd);
    throw new TsrunError('init', `the init named process ${pid}, which is no child of tsrun`, { cause });
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
