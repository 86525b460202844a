import type { CgroupManager } from '../cgroup/types.ts';
import { TsrunError } from '../core/error.ts';
import { findContainer, findFolder } from '../state/find-container.ts';
import type { Found } from '../state/find-container.ts';
import { ownCgroups } from './kill.ts';
import { lockContainer } from '../state/lock.ts';
import type { StateRoot } from '../state/state-root.ts';

export interface PauseRequest {
  root: StateRoot;
  id: string;
}

/**
 * Stops all processes of a container where they are, until it is resumed; returns when they have stopped.
 * Throws 'state' with the words `container not running` for one that has nothing to stop.
 */
export function pause({ root, id }: PauseRequest): void {
  withLock(root, id, (found, manager) => {
    if (found.status !== 'running' && found.status !== 'created') {
      throw new TsrunError('state', `container not running: ${id} is ${found.status}`);
    }
    if (manager.frozen()) throw new TsrunError('state', `container not running: ${id} is paused`);
    manager.freeze();
  });
}

/** Lets a paused container go on. Throws 'state' with the words `container not paused` for any other one. */
export function resume({ root, id }: PauseRequest): void {
  withLock(root, id, (found, manager) => {
    // One that was paused before its start is still called created.
    const isPaused = found.status === 'paused' || (found.status === 'created' && manager.frozen());
    if (!isPaused) throw new TsrunError('state', `container not paused: ${id} is ${found.status}`);
    manager.thaw();
  });
}

function withLock(root: StateRoot, id: string, step: (found: Found, manager: CgroupManager) => void): void {
  const lock = lockContainer(findFolder(root, id));
  try {
    const found = findContainer(root, id);
    step(found, ownCgroups(found.record) ?? noCgroup(found));
  } finally {
    lock.release();
  }
}

/** Its cgroups are known to be its own as soon as it is more than claimed. */
function noCgroup({ record, status }: Found): never {
  throw new TsrunError('state', `container not running: ${record.id} is ${status}`);
}
