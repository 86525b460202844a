import type { Status } from '../config/types.ts';
import { findContainer } from '../state/find-container.ts';
import type { ContainerRecord } from '../state/record.ts';
import type { StateRoot } from '../state/state-root.ts';

/** What `state` and `list` print: the State of runtime.md and what runc adds, in runc's order of keys. */
export interface ContainerState {
  ociVersion: string;
  id: string;
  /** 0 once the container has stopped. */
  pid: number;
  status: Status;
  bundle: string;
  rootfs: string;
  created: string;
  annotations?: Record<string, string>;
  owner: string;
}

/** The state of one container (runtime.md, "Query State"). Throws 'not-found' and 'corrupt'. */
export function containerState(root: StateRoot, id: string): ContainerState {
  const { record, status } = findContainer(root, id);
  return describe(record, status, '');
}

export function describe(record: ContainerRecord, status: Status, owner: string): ContainerState {
  const { ociVersion, id, init, bundle, rootfs, created, annotations } = record;
  return {
    ociVersion,
    id,
    pid: status === 'stopped' ? 0 : (init?.pid ?? 0),
    status,
    bundle,
    rootfs,
    created,
    ...(annotations === undefined ? {} : { annotations }),
    owner,
  };
}
