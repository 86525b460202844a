import { refuseUnmounted } from '../cgroup/refuse-unmounted.ts';
import { TsrunError } from '../core/error.ts';
import { sigkill } from '../host/signals.ts';
import { findContainer } from '../state/find-container.ts';
import { ownCgroups } from '../state/own-cgroups.ts';
import { signalProcess } from '../state/process.ts';
import type { StateRoot } from '../state/state-root.ts';

export interface KillRequest {
  root: StateRoot;
  id: string;
  /** Its number; 0 only checks that a signal could be sent. */
  signal: number;
  /** Send it to all processes of the container, not only to its first one. */
  all?: boolean | undefined;
}

/**
 * Sends a signal to a container (runtime.md, "Kill"). Takes no lock, since it changes nothing in the state store.
 *
 * @throws TsrunError 'state' with the words `container not running` when there is no process to send it to
 */
export function killContainer({ root, id, signal, all = false }: KillRequest): void {
  const { record, status } = findContainer(root, id);
  // To send any other signal, the kernel need not be asked whose the cgroups are.
  const manager = all || signal === sigkill ? ownCgroups(record) : undefined;
  // Without a pid namespace of its own, processes of a container may outlive its first one.
  if (all || (signal === sigkill && !record.ownPids)) {
    if (record.cgroup !== undefined) refuseUnmounted(record.cgroup);
    if (manager !== undefined && manager.processes().length > 0) {
      manager.kill(signal);
      return;
    }
  }
  if (status === 'stopped' || record.init === undefined || !signalProcess(record.init, signal)) {
    // Engines send a signal to all processes of a container that may have ended: that is no error.
    if (all) return;
    throw new TsrunError('state', `container not running: ${id} is ${status}`);
  }
  // A frozen process ends only once it is thawed, which the cgroup manager does; a container may freeze itself.
  if (signal === sigkill) manager?.kill(sigkill);
}
