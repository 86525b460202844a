import { fileError } from '../../core/error.ts';
import { isGone, readValue, sleep, writeValue } from '../files.ts';
import { type CgroupPath, inside } from '../walk.ts';

export type FreezerState = 'THAWED' | 'FREEZING' | 'FROZEN';

/** The state of the v1 freezer in `directory`; THAWED when there is no such cgroup. */
export function freezerState(directory: string): FreezerState {
  try {
    const state = readValue(`${directory}/freezer.state`);
    return state === 'FROZEN' || state === 'FREEZING' ? state : 'THAWED';
  } catch (error) {
    if (isGone(error)) return 'THAWED';
    throw fileError(`read ${directory}/freezer.state`, error);
  }
}

/** True when freezing was asked for, done or not. */
export function isFreezingV1(directory: string): boolean {
  return freezerState(directory) !== 'THAWED';
}

/** Asks the freezer for a state; does not wait for it. False when there is no such cgroup. */
export function setFreezer(directory: CgroupPath, state: 'FROZEN' | 'THAWED'): boolean {
  try {
    writeValue(inside(directory, 'freezer.state'), state);
    return true;
  } catch (error) {
    if (isGone(error)) return false;
    throw fileError(`write ${state} to ${String(directory)}/freezer.state`, error);
  }
}

/**
 * Freezes and waits until every task has stopped: FREEZING when one has not after `patienceMs`. The kernel has no event
 * for it and updates the state when it is read. After a fork that raced with the write the state may stay FREEZING
 * until it is written again.
 */
export function freezeV1(directory: string, patienceMs: number): FreezerState | 'GONE' {
  const deadline = performance.now() + patienceMs;
  for (let tries = 0; ; tries++) {
    if (!setFreezer(directory, 'FROZEN')) return 'GONE';
    if (freezerState(directory) === 'FROZEN') return 'FROZEN';
    if (performance.now() > deadline) return 'FREEZING';
    // Most tasks need a few microseconds; one in a long system call may need many milliseconds.
    if (tries >= 10) sleep(Math.min(tries / 10, 10));
  }
}
