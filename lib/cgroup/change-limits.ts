import { TsrunError } from '../core/error.ts';
import type { Finding } from '../core/finding.ts';
import { executeSteps } from './write-limits.ts';
import type { Locate } from './write-limits.ts';
import { Journal } from './journal.ts';
import type { CgroupStep } from './cgroup-write.ts';

/** A change of the device rules. */
export interface DeviceChange {
  apply: () => void;
  /** Takes back what a failed `apply` has done; false when that is not possible. */
  revert: () => boolean;
}

/**
 * Changes limits of a cgroup that is in use, and then its device rules: all, or none. When that is not possible
 * either, the error names what stays changed.
 */
export function changeAll(
  steps: readonly CgroupStep[],
  locate: Locate,
  devices: DeviceChange | undefined,
): Finding[] {
  const journal = new Journal();
  let reachedDevices = false;
  try {
    const warnings = executeSteps(steps, locate, journal);
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
