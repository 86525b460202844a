import { closeSync, rmdirSync } from 'node:fs';
import { errnos, hasErrno } from '../core/errno.ts';
import { fileError, systemError, type TsrunError } from '../core/error.ts';
import { pidfdOpen, waitPidfd } from '../native/pidfd.ts';
import { isGone, sleep } from './files.ts';
import { processesBelow } from './processes.ts';
import { type CgroupPath, walk } from './walk.ts';

/** How long killed processes may take to end: one with much memory, or that waits for a disk, is slow. */
const patienceMs = 10_000;

/**
 * Removes cgroups with all below them, and waits for their processes to end. A missing one is no error. Tries all of
 * them before it throws the first failure.
 * @throws TsrunError 'system' that names the processes which are still there
 */
export function removeCgroups(directories: readonly string[], patience = patienceMs): void {
  const deadline = performance.now() + patience;
  const failures: unknown[] = [];
  for (const directory of directories) {
    try {
      removeWhenEmpty(directory, deadline);
    } catch (error) {
      failures.push(fileError(`remove cgroup ${directory}`, error));
    }
  }
  if (failures.length > 0) throw failures[0];
}

function removeWhenEmpty(directory: string, deadline: number): void {
  for (;;) {
    if (removeTree(directory)) return;
    const pids = processesBelow(directory);
    const left = deadline - performance.now();
    if (left <= 0) throw stillUsed(directory, pids);
    // A process leaves its cgroup shortly before or after its pidfd says that it has ended.
    if (!pids.some((pid) => waitForEnd(pid, left))) sleep(1);
  }
}

/** Waits until a process ends; false when it has ended already. */
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
  return systemError(`remove cgroup ${directory}: still used ${who}`, errnos.EBUSY, {
    hint: 'Kill the processes, then delete the container again.',
  });
}

/** Removes the cgroup and all below it. False when a process is still in one of them. */
export function removeTree(root: string): boolean {
  if (removeOne(root)) return true;
  walk(root, removeOne);
  return removeOne(root);
}

/** False when it is in use, by a process or a child. */
function removeOne(directory: CgroupPath): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    if (isGone(error)) return true;
    if (hasErrno(error, 'EBUSY', 'ENOTEMPTY')) return false;
    throw error;
  }
}
