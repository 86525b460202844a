import { runPoststopHooks } from './run-hooks.ts';
import { rmdirSync } from 'node:fs';
import { refuseUnmounted } from '../cgroup/refuse-unmounted.ts';
import type { CgroupManager } from '../cgroup/manager.ts';
import { hasErrno } from '../core/errno.ts';
import { fileError, TsrunError } from '../core/error.ts';
import { pidfdSignal, waitUntilEnded } from '../native/pidfd.ts';
import type { Sink, Tell } from '../core/finding.ts';
import { sigkill } from '../host/signals.ts';
import { type Container, findContainer, findFolder } from '../state/find-container.ts';
import { ownCgroups } from '../state/own-cgroups.ts';
import { type Lock, lockContainer } from '../state/lock.ts';
import { signalProcess, withPidfd } from '../state/process.ts';
import type { ContainerRecord, ProcessRef } from '../state/record.ts';
import type { StateRoot } from '../state/state-root.ts';
import { leaveResctrl } from './join-resctrl.ts';
import { destroyUnreadable, killUnreadable } from './delete-unreadable.ts';
import { readRecord, removeFolder } from '../state/store.ts';
import type { ContainerFolder } from '../state/folder.ts';

export interface DeleteRequest {
  root: StateRoot;
  id: string;
  log: Sink;
  /** Delete also a container that runs or is broken; do nothing when it does not exist. */
  force?: boolean | undefined;
}

/**
 * Deletes a container (runtime.md, "Delete") with everything that was made for it. As in runc, a container that was
 * never started is killed; one that runs is killed only with `force`. Can be repeated after a SIGKILL at any point.
 *
 * @throws TsrunError 'state' for a container that runs, 'not-found' and 'corrupt', all only without `force`; 'corrupt'
 * with `force` when its processes cannot be found; 'system' when something cannot be removed
 */
export function deleteContainer(request: DeleteRequest): void {
  try {
    deleteOrThrow(request, request.log.warn);
  } catch (error) {
    if (!(isNotFound(error) && request.force === true)) throw error;
  }
}

function deleteOrThrow({ root, id, force = false }: Omit<DeleteRequest, 'log'>, warn: Tell): void {
  const folder = findFolder(root, id);
  // Checked before locking, too: fail at once instead of waiting for a `create` that runs.
  if (!force) checkDeletable(findContainer(root, id));
  const lock = force ? lockByForce(folder) : lockContainer(folder);
  try {
    if (force) destroyAny(folder, warn);
    else {
      const container = findContainer(root, id);
      checkDeletable(container);
      destroyContainer(container.record, false, warn);
    }
    removeFolder(folder);
  } finally {
    lock.release();
  }
}

/** Deletes the container of this record, if it still exists. Another container that has its id by now stays. */
export function deleteUnlessReplaced(folder: ContainerFolder, record: ContainerRecord, warn: Tell): void {
  try {
    const lock = lockContainer(folder);
    try {
      const present = readRecord(folder);
      if (!isSame(present, record)) return;
      destroyContainer(present, true, warn);
      removeFolder(folder);
    } finally {
      lock.release();
    }
  } catch (error) {
    // Another `delete` was faster.
    if (!isNotFound(error)) throw error;
  }
}

/** deleteUnlessReplaced() after a failure that the caller reports: what fails here is a warning. */
export function deleteAfterFailure(folder: ContainerFolder, record: ContainerRecord, warn: Tell): void {
  try {
    deleteUnlessReplaced(folder, record, warn);
  } catch (error) {
    if (!(error instanceof TsrunError)) throw error;
    warn(error);
  }
}

function isSame(one: ContainerRecord, other: ContainerRecord): boolean {
  return one.created === other.created && one.init?.pid === other.init?.pid;
}

function checkDeletable({ record: { id }, status }: Container): void {
  if (status === 'stopped' || status === 'created') return;
  throw new TsrunError('state', `cannot delete container ${id} that is not stopped: ${status}`, {
    hint: `stop it first (tsrun kill ${id} KILL), or use --force`,
  });
}

/**
 * Takes the lock from a command that holds it: kills the container's process, which makes the command fail and release
 * the lock.
 */
function lockByForce(folder: ContainerFolder): Lock {
  const lock = lockContainer(folder, { wait: false });
  if (lock !== undefined) return lock;
  killInit(folder);
  return lockContainer(folder);
}

function killInit(folder: ContainerFolder): void {
  try {
    const { init } = readRecord(folder);
    if (init !== undefined) signalProcess(init, sigkill);
  } catch (error) {
    if (isCorrupt(error)) killUnreadable(folder);
    // There is no process before the first record.
    else if (!isNotFound(error)) throw error;
  }
}

/** destroyContainer(), also for a container whose record cannot be read. */
function destroyAny(folder: ContainerFolder, warn: Tell): void {
  let record: ContainerRecord;
  try {
    record = readRecord(folder);
  } catch (error) {
    if (isCorrupt(error)) destroyUnreadable(folder, error, warn);
    // Nothing is made before the first record.
    else if (!isNotFound(error)) throw error;
    return;
  }
  destroyContainer(record, true, warn);
}

function isNotFound(error: unknown): boolean {
  return error instanceof TsrunError && error.code === 'not-found';
}

function isCorrupt(error: unknown): error is TsrunError {
  return error instanceof TsrunError && error.code === 'corrupt';
}

/**
 * Kills the processes of a container, removes what was made for it but its folder, and runs its poststop hooks. Can be
 * repeated as long as the folder exists. Call it with the lock held.
 *
 * @param force kill also processes in its cgroups that are not in its own pid namespace
 * @throws TsrunError 'system' when something cannot be removed
 */
export function destroyContainer(record: ContainerRecord, force: boolean, warn: Tell): void {
  if (record.cgroup !== undefined) refuseUnmounted(record.cgroup);
  const manager = ownCgroups(record);
  if (record.init !== undefined) endProcess(record.init, manager);
  // What outlives the first process of a container with its own pid namespace is none of the container's: a process
  // that was moved into the cgroup, or process A of an `exec`, which ends by itself.
  if (force || !record.ownPids) manager?.kill(sigkill);
  manager?.remove();
  removeUnconfirmedCgroups(record);
  leaveResctrl(record);
  runPoststopHooks(record).forEach(warn);
}

function endProcess(init: ProcessRef, manager: CgroupManager | undefined): void {
  withPidfd(init, (pidfd) => {
    pidfdSignal(pidfd, sigkill);
    // Kills frozen processes, too, and those that fork at this moment.
    manager?.kill(sigkill);
    waitUntilEnded(pidfd, init.pid);
  });
}

/** Removes cgroups that `create` may have made before it was killed. Those that it made are empty. */
function removeUnconfirmedCgroups({ cgroup, ownsCgroup }: ContainerRecord): void {
  if (cgroup === undefined || ownsCgroup) return;
  // rmdir(2) fails for a cgroup with a process or a cgroup in it.
  for (const directory of Object.values(cgroup.paths)) {
    try {
      rmdirSync(directory);
    } catch (error) {
      if (!hasErrno(error, 'ENOENT', 'EBUSY', 'ENOTEMPTY')) {
        throw fileError(`remove the cgroup ${directory}`, error);
      }
    }
  }
}
