import { TsrunError } from '../core/error.ts';
import type { Finding } from '../core/finding.ts';
import { type FindDirectory, writeLimits } from './write-limits.ts';
import { WriteJournal } from './write-journal.ts';
import type { CgroupStep } from './cgroup-write.ts';

/** A change of the device rules. */
export interface DeviceChange {
  apply: () => void;
  /** Undoes what a failed `apply` has done; false when it cannot. */
  revert: () => boolean;
}

/**
 * Changes limits of a cgroup that is in use, and then its device rules: all of them or none. Returns what the kernel
 * ignores.
 * @throws what writeLimits() and `devices` throw; the message names what could not be undone
 */
export function changeLimits(
  steps: readonly CgroupStep[],
  directoryOf: FindDirectory,
  devices: DeviceChange | undefined,
): Finding[] {
  const journal = new WriteJournal();
  let reachedDevices = false;
  try {
    const warnings = writeLimits(steps, directoryOf, journal);
    reachedDevices = true;
    devices?.apply();
    return warnings;
  } catch (error) {
    const left = reachedDevices && devices?.revert() === false ? ['devices'] : [];
    left.push(...journal.undo());
    throw left.length === 0 ? error : withLeft(error, left);
  }
}

function withLeft(error: unknown, left: readonly string[]): unknown {
  if (!(error instanceof TsrunError)) return error;
  return error.with({ reason: `${error.reason}; changed already, and left so: ${left.join(', ')}` });
}
