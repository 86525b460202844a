import { closeSync } from 'node:fs';
import { systemError } from '../core/error.ts';
import type { TsrunError } from '../core/error.ts';
import { pidfdOpen, waitPidfd } from '../native/pidfd.ts';
import { ioError, sleep } from './files.ts';
import { processesBelow, removeTree } from './walk.ts';

/** How long killed processes may take to end: one with much memory, or waiting for a disk, needs a while. */
const patienceMs = 10_000;

/**
 * Removes cgroups with all below them, waiting for their processes to end; a missing one is fine. Tries all
 * of them before it throws the first failure, which names the processes that are still there.
 */
export function removeCgroups(directories: readonly string[], patience = patienceMs): void {
  const deadline = performance.now() + patience;
  let failure: TsrunError | undefined;
  for (const directory of directories) {
    try {
      removeWhenEmpty(directory, deadline);
    } catch (error) {
      failure ??= ioError(`remove cgroup ${directory}`, error);
    }
  }
  if (failure !== undefined) throw failure;
}

function removeWhenEmpty(directory: string, deadline: number): void {
  for (;;) {
    if (removeTree(directory)) return;
    const pids = processesBelow(directory);
    const left = deadline - performance.now();
    if (left <= 0) throw stillUsed(directory, pids);
    // A process leaves its cgroup a moment before or after its pidfd says that it has ended.
    if (!pids.some((pid) => waitForEnd(pid, left))) sleep(1);
  }
}

/** Waits until a process ends; false when there was nothing to wait for. */
function waitForEnd(pid: number, timeoutMs: number): boolean {
  const pidfd = pidfdOpen(pid);
  if (pidfd < 0) return false;
  try {
    return waitPidfd(pidfd, Math.ceil(timeoutMs));
  } finally {
    closeSync(pidfd);
  }
}

function stillUsed(directory: string, pids: readonly number[]): TsrunError {
  const who = pids.length === 0 ? 'by the kernel' : `by process ${pids.join(', ')}`;
  return systemError(`remove cgroup ${directory}: still used ${who}`, ebusy, {
    hint: 'Kill the processes, then delete the container again.',
  });
}

const ebusy = 16;
