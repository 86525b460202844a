import { fileError } from '../../core/error.ts';
import { isGone, readText, readValue, sleep, writeValue } from '../files.ts';

/** Asks for or ends freezing; does not wait. False when there is no such cgroup. */
export function setFreezeV2(directory: string, frozen: boolean): boolean {
  try {
    writeValue(`${directory}/cgroup.freeze`, frozen ? '1' : '0');
    return true;
  } catch (error) {
    if (isGone(error)) return false;
    throw fileError(`write ${directory}/cgroup.freeze`, error);
  }
}

/** True when the cgroup is frozen and all of its processes, if any, have stopped. */
export function isFrozenV2(directory: string): boolean {
  try {
    return /^frozen 1$/m.test(readText(`${directory}/cgroup.events`));
  } catch (error) {
    if (isGone(error)) return false;
    throw fileError(`read ${directory}/cgroup.events`, error);
  }
}

/** True when freezing was asked for, done or not. */
export function isFreezingV2(directory: string): boolean {
  try {
    return readValue(`${directory}/cgroup.freeze`) === '1';
  } catch (error) {
    if (isGone(error)) return false;
    throw fileError(`read ${directory}/cgroup.freeze`, error);
  }
}

/** Freezes and waits until every process has stopped: FREEZING when one has not after `patienceMs`. */
export function freezeV2(directory: string, patienceMs: number): 'FROZEN' | 'FREEZING' | 'GONE' {
  const deadline = performance.now() + patienceMs;
  if (!setFreezeV2(directory, true)) return 'GONE';
  for (let tries = 0; !isFrozenV2(directory); tries++) {
    if (performance.now() > deadline) return 'FREEZING';
    // Most processes need a few microseconds; one in a long system call may need many milliseconds.
    if (tries >= 10) sleep(Math.min(tries / 10, 10));
  }
  return 'FROZEN';
}
