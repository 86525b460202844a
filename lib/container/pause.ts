import type { CgroupManager } from '../cgroup/manager.ts';
import { TsrunError } from '../core/error.ts';
import { type Container } from '../state/find-container.ts';
import { isPaused } from '../state/status.ts';
import { ownCgroups } from '../state/own-cgroups.ts';
import { withLockedContainer } from '../state/lock.ts';
import type { StateRoot } from '../state/state-root.ts';

export interface PauseRequest {
  root: StateRoot;
  id: string;
}

/**
 * Suspends all processes of a container, and returns when they have stopped.
 *
 * @throws TsrunError 'state' with the words `container not running` when it does not run or is paused
 */
export function pauseContainer({ root, id }: PauseRequest): void {
  withLockedContainer(root, id, (container) => {
    const { status } = container;
    if (isPaused(container)) throw notRunning(container, 'already paused');
    if (status !== 'running' && status !== 'created') throw notRunning(container);
    cgroupsOf(container).freeze();
  });
}

/**
 * Resumes a paused container.
 *
 * @throws TsrunError 'state' with the words `container not paused` when it is not paused
 */
export function resumeContainer({ root, id }: PauseRequest): void {
  withLockedContainer(root, id, (container) => {
    const manager = cgroupsOf(container);
    if (!isPaused(container)) {
      throw new TsrunError('state', `container not paused: ${id} is ${container.status}`);
    }
    manager.thaw();
  });
}

/** A container without cgroups of its own has stopped, or is being created. */
function cgroupsOf(container: Container): CgroupManager {
  const manager = ownCgroups(container.record);
  if (manager === undefined) throw notRunning(container);
  return manager;
}

function notRunning({ record, status }: Container, how: string = status): TsrunError {
  return new TsrunError('state', `container not running: ${record.id} is ${how}`);
}
