import { cgroupManager } from '../cgroup/cgroup-manager.ts';
import { executableIdentity, isAlive } from '../host/proc.ts';
import type { Status } from '../config/types.ts';
import { ownCgroups } from './own-cgroups.ts';
import type { ContainerRecord, ProcessRef } from './record.ts';
import type { ContainerFolder } from './folder.ts';
import { startSocketFile } from './store.ts';
import { hasStored } from './store-files.ts';

/** What a status depends on. Each fact is looked up only when it matters. */
export interface StatusFacts {
  /** The process runs: its pid has not been given to another one. */
  isAlive: (process: ProcessRef) => boolean;
  /** `dev:ino` of what the process executes; undefined when the caller may not see it. */
  imageOf: (pid: number) => string | undefined;
  hasStartSocket: () => boolean;
  isFrozen: () => boolean;
}

/**
 * The status of a container (runtime.md, "State"), from what the kernel says at this moment. A zombie counts as
 * stopped. When `create` was killed, the container is `created` if its process waits for start, else stopped.
 */
export function containerStatus(folder: ContainerFolder, record: ContainerRecord): Status {
  return decideStatus(record, {
    isAlive: ({ pid, startTime }) => isAlive(pid, startTime),
    imageOf,
    hasStartSocket: () => hasStored(folder, startSocketFile),
    isFrozen: () => isFrozen(record),
  });
}

/** containerStatus() from given facts. Pure. */
export function decideStatus(record: ContainerRecord, facts: StatusFacts): Status {
  const { init, phase } = record;
  const isBeingCreated = phase === 'creating' && facts.isAlive(record.runtime);
  if (init === undefined) return isBeingCreated ? 'creating' : 'stopped';
  if (!facts.isAlive(init)) return 'stopped';
  if (isBeingCreated) return 'creating';
  if (waitsForStart(record, init, facts)) return 'created';
  return facts.isFrozen() ? 'paused' : 'running';
}

function waitsForStart(record: ContainerRecord, init: ProcessRef, facts: StatusFacts): boolean {
  // `run` makes no start socket. A process that it had not started before it was killed is about to exit; until
  // then it counts as created.
  if (!facts.hasStartSocket()) return record.phase === 'creating';
  // A `start` that was killed may have left the socket: what the process executes decides.
  const image = facts.imageOf(init.pid);
  return image === undefined || image === record.initImage;
}

/**
 * True while the container's processes are frozen in a cgroup of its own.
 *
 * @throws TsrunError 'system' when the kernel does not tell whose a frozen cgroup is
 */
export function isFrozen(record: ContainerRecord): boolean {
  const { cgroup, ownsCgroup } = record;
  if (cgroup === undefined || !ownsCgroup || !cgroupManager(cgroup).frozen()) return false;
  // Another container may have taken over the cgroup. That is checked last, since it loads native code.
  return ownCgroups(record)?.frozen() === true;
}

/** True for a paused container. One that was paused before its start has the status `created`. */
export function isPaused({ record, status }: { record: ContainerRecord; status: Status }): boolean {
  return status === 'paused' || (status === 'created' && isFrozen(record));
}

/** What a process executes, as `dev:ino`; undefined when the caller may not see it. */
export function imageOf(pid: number): string | undefined {
  const identity = executableIdentity(pid);
  return identity === undefined ? undefined : `${identity.dev}:${identity.ino}`;
}
