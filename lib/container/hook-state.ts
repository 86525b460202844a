import type { State, Status } from '../config/types.ts';
import { innermostPid } from '../host/proc.ts';
import type { ContainerRecord } from '../state/record.ts';

/** hookState() for hooks inside the container: the pid is the one in the container's pid namespace. */
export function innerHookState(record: ContainerRecord, status: Status): State {
  const state = hookState(record, status);
  const inner = record.init === undefined ? undefined : innermostPid(record.init.pid);
  return inner === undefined ? state : { ...state, pid: inner };
}

/** The state that hooks read on stdin (runtime.md, "State"). Without a pid once the container has stopped. */
export function hookState(record: ContainerRecord, status: Status): State {
  const { ociVersion, id, init, bundle, annotations } = record;
  return {
    ociVersion,
    id,
    status,
    ...(init === undefined || status === 'stopped' ? {} : { pid: init.pid }),
    bundle,
    ...(annotations === undefined ? {} : { annotations }),
  };
}
