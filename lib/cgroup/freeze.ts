/** What freezing and killing have in common on cgroup v1 and v2. */
import { TsrunError } from '../core/error.ts';

/** How long freeze() waits, ms: processes that wait for a disk stop late. */
export const freezePatienceMs = 5000;
/** How long kill() waits for processes to stop, ms: the signal reaches also those that have not. */
export const killPatienceMs = 100;

/** @throws TsrunError 'state' when tsrun is one of the processes it would freeze or kill */
export function requireOutside(processes: readonly number[]): void {
  if (!processes.includes(process.pid)) return;
  throw new TsrunError('state', 'tsrun itself runs in the cgroup of this container', {
    hint: 'Run it from another cgroup: see /proc/self/cgroup.',
  });
}

/** The error for an operation on a cgroup that has been removed. */
export function goneError(directory: string): TsrunError {
  return new TsrunError('not-found', `cgroup ${directory} does not exist`);
}

/** The error for processes that do not stop in time. */
export function freezeError(directory: string, pids: readonly number[]): TsrunError {
  return new TsrunError('system', `freeze ${directory}: not all of its processes stop: ${pids.join(', ')}`, {
    hint: 'One of them may be waiting for a device or a network filesystem; try again.',
  });
}
