import { join } from 'node:path';
import { cgroupManager } from '../cgroup/manager.ts';
import { isThere } from '../host/is-there.ts';
import { executableIdentity, isAlive } from '../host/proc.ts';
import type { Status } from '../config/types.ts';
import type { ContainerRecord, ProcessRef } from './record.ts';
import type { ContainerFolder } from './folder.ts';
import { startSocketFile } from './store.ts';

/** What a status depends on; each is looked up only when it matters. */
export interface StatusFacts {
  /** The process runs and is no other one with its pid. */
  isAlive: (process: ProcessRef) => boolean;
  /** `dev:ino` of what the process executes; undefined when it is not ours to see. */
  imageOf: (pid: number) => string | undefined;
  hasStartSocket: () => boolean;
  isFrozen: () => boolean;
}

/**
 * The status of a container (runtime.md, "State"), from what the kernel says now. A zombie has stopped. A
 * container whose `create` was killed is `created` if it got so far that it waits for start, else stopped.
 */
export function containerStatus(folder: ContainerFolder, record: ContainerRecord): Status {
  return decideStatus(record, {
    isAlive: ({ pid, startTime }) => isAlive(pid, startTime),
    imageOf,
    hasStartSocket: () => isThere(join(folder.path, startSocketFile)),
    isFrozen: () => record.cgroup !== undefined && record.ownsCgroup && cgroupManager(record.cgroup).frozen(),
  });
}

/** The same from given facts. Pure. */
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
  // A `run` that was killed: its init ends as soon as it notices.
  if (!facts.hasStartSocket()) return record.phase === 'creating';
  // `start` may have been killed before it could remove the socket.
  const image = facts.imageOf(init.pid);
  return image === undefined || image === record.initImage;
}

/** What a process executes, as `dev:ino`. */
export function imageOf(pid: number): string | undefined {
  const identity = executableIdentity(pid);
  return identity === undefined ? undefined : `${identity.dev}:${identity.ino}`;
}
