import { cgroupManager } from '../cgroup/manager.ts';
import { stillMarked } from '../cgroup/mark.ts';
import type { CgroupManager } from '../cgroup/types.ts';
import { TsrunError } from '../core/error.ts';
import { findContainer } from '../state/find-container.ts';
import { signalProcess } from '../state/process.ts';
import type { ContainerRecord } from '../state/record.ts';
import type { StateRoot } from '../state/state-root.ts';

export interface KillRequest {
  root: StateRoot;
  id: string;
  /** By number; 0 only asks whether it could be sent. */
  signal: number;
  /** To all processes of the container, not only to its first one. */
  all?: boolean | undefined;
}

const sigkill = 9;

/**
 * Sends a signal to a container (runtime.md, "Kill"). Throws 'state' with the words `container not running`
 * when there is no process to send it to. Needs no lock: it changes nothing that tsrun keeps.
 */
export function kill({ root, id, signal, all = false }: KillRequest): void {
  const { record, status } = findContainer(root, id);
  const manager = ownCgroups(record);
  // Without a pid namespace of its own, processes of a container outlive its first one.
  if (all || (signal === sigkill && !record.ownPids)) {
    if (manager !== undefined && manager.processes().length > 0) {
      manager.kill(signal);
      return;
    }
  }
  if (status === 'stopped' || record.init === undefined || !signalProcess(record.init, signal)) {
    // Nobody is left to get it: engines send it to all to be sure, and are content.
    if (all) return;
    throw new TsrunError('state', `container not running: ${id} is ${status}`);
  }
  // A frozen process dies of it only once it runs again, and a container may have frozen itself.
  if (signal === sigkill) manager?.kill(sigkill);
}

/** The container's cgroups, unless it has none, or they were never known to be its own or are not any more. */
export function ownCgroups({ cgroup, ownsCgroup }: ContainerRecord): CgroupManager | undefined {
  const own = cgroup !== undefined && ownsCgroup ? stillMarked(cgroup) : undefined;
  return own && cgroupManager(own);
}
