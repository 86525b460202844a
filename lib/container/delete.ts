import { rmdirSync } from 'node:fs';
import type { CgroupManager } from '../cgroup/types.ts';
import { fileError, TsrunError } from '../core/error.ts';
import { pidfdSignal, waitUntilEnded } from '../native/pidfd.ts';
import type { Sink, Tell } from '../core/finding.ts';
import { findContainer, findFolder } from '../state/find-container.ts';
import type { Container } from '../state/find-container.ts';
import { isErrno } from '../core/is-errno.ts';
import { ownCgroups } from './kill.ts';
import { lockContainer } from '../state/lock.ts';
import type { Lock } from '../state/lock.ts';
import { runPoststop } from './poststop-hooks.ts';
import { signalProcess, withPidfd } from '../state/process.ts';
import type { ContainerRecord, ProcessRef } from '../state/record.ts';
import type { StateRoot } from '../state/state-root.ts';
import { leaveResctrl } from './join-resctrl.ts';
import { salvage, killMarked } from './delete-unreadable.ts';
import { readRecord, removeFolder } from '../state/store.ts';
import type { ContainerFolder } from '../state/folder.ts';

export interface DeleteRequest {
  root: StateRoot;
  id: string;
  log: Sink;
  /** Also one that runs, is broken, or does not exist. */
  force?: boolean | undefined;
}

const sigkill = 9;

/**
 * Deletes a container (runtime.md, "Delete") and everything that was made for it. One that was created but
 * never started is killed for it, as runc does; one that runs only with `force`. May be repeated after it was
 * interrupted at any point.
 */
export function deleteContainer(request: DeleteRequest): void {
  try {
    removeContainer(request, request.log.warn);
  } catch (error) {
    if (!(isNotFound(error) && request.force === true)) throw error;
  }
}

/** Throws 'not-found' also with `force`. */
function removeContainer({ root, id, force = false }: Omit<DeleteRequest, 'log'>, warn: Tell): void {
  const folder = findFolder(root, id);
  // Asked once before the lock as well: one that is being created is no reason to wait, but to say so.
  if (!force) checkDeletable(findContainer(root, id));
  const lock = force ? breakLock(folder) : lockContainer(folder);
  try {
    if (force) dismantleAny(folder, warn);
    else {
      const found = findContainer(root, id);
      checkDeletable(found);
      dismantle(found.record, false, warn);
    }
    removeFolder(folder);
  } finally {
    lock.release();
  }
}

/** Removes this container, and no other one that has its id by now; fine when it is gone. */
export function removeSame(folder: ContainerFolder, record: ContainerRecord, warn: Tell): void {
  try {
    const lock = lockContainer(folder);
    try {
      const found = readRecord(folder);
      if (!isSame(found, record)) return;
      dismantle(found, true, warn);
      removeFolder(folder);
    } finally {
      lock.release();
    }
  } catch (error) {
    // Somebody else was faster.
    if (!isNotFound(error)) throw error;
  }
}

/** The same for a container whose life has ended in a failure, which is the one to tell (runtime.md, "Lifecycle"). */
export function destroy(folder: ContainerFolder, record: ContainerRecord, warn: Tell): void {
  try {
    removeSame(folder, record, warn);
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
 * The lock, for somebody who will not be stopped: whoever holds it waits for the container in the end, and
 * gives up when its process is killed.
 */
function breakLock(folder: ContainerFolder): Lock {
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
    if (isCorrupt(error)) killMarked(folder);
    // No first record yet, so no process yet.
    else if (!isNotFound(error)) throw error;
  }
}

/** Also one whose record cannot be read. */
function dismantleAny(folder: ContainerFolder, warn: Tell): void {
  let record: ContainerRecord;
  try {
    record = readRecord(folder);
  } catch (error) {
    if (isCorrupt(error)) salvage(folder, error, warn);
    // Without a first record nothing was made yet.
    else if (!isNotFound(error)) throw error;
    return;
  }
  dismantle(record, true, warn);
}

function isNotFound(error: unknown): boolean {
  return error instanceof TsrunError && error.code === 'not-found';
}

function isCorrupt(error: unknown): error is TsrunError {
  return error instanceof TsrunError && error.code === 'corrupt';
}

/**
 * Ends what runs and removes what was made, all but the folder: until that is gone, this can be repeated. Call it
 * with the lock held.
 */
export function dismantle(record: ContainerRecord, force: boolean, warn: Tell): void {
  const manager = ownCgroups(record);
  if (record.init !== undefined) endProcess(record.init, manager);
  // Whoever outlives the first process. With a pid namespace of its own that is nobody of the container's: one who
  // was moved into the cgroup, or process A of an exec, which ends by itself.
  if (force || !record.ownPids) manager?.kill(sigkill);
  manager?.remove();
  removeDoubtfulCgroups(record);
  leaveResctrl(record);
  runPoststop(record).forEach(warn);
}

function endProcess(init: ProcessRef, manager: CgroupManager | undefined): void {
  withPidfd(init, (pidfd) => {
    pidfdSignal(pidfd, sigkill);
    // Frozen processes, too, and all that a process forks meanwhile.
    manager?.kill(sigkill);
    waitUntilEnded(pidfd, init.pid);
  });
}

/** `create` was killed while it made the cgroups. If they are not somebody else's, they are empty. */
function removeDoubtfulCgroups({ cgroup, ownsCgroup }: ContainerRecord): void {
  if (cgroup === undefined || ownsCgroup) return;
  // rmdir(2) removes none that has a process or a cgroup in it.
  for (const directory of Object.values(cgroup.paths)) {
    try {
      rmdirSync(directory);
    } catch (error) {
      if (!['ENOENT', 'EBUSY', 'ENOTEMPTY'].some((code) => isErrno(error, code))) {
        throw fileError(`remove the cgroup ${directory}`, error);
      }
    }
  }
}
