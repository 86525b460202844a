import type { Status } from '../config/types.ts';
import { type Container, findContainer } from '../state/find-container.ts';
import type { StateRoot } from '../state/state-root.ts';

/** What `state` and `list` print: the State of runtime.md with runc's additions, in runc's order of keys. */
export interface ContainerState {
  ociVersion: string;
  id: string;
  /** 0 before the container has a process, and once it has stopped. */
  pid: number;
  status: Status;
  bundle: string;
  rootfs: string;
  created: string;
  annotations?: Record<string, string>;
  /** Name of the user who created it; empty in the output of `state`. */
  owner: string;
}

/**
 * The state of one container (runtime.md, "Query State"). `owner` is empty, as in runc: only `list` looks it up.
 *
 * @throws TsrunError 'not-found', 'corrupt' and the others of findContainer()
 */
export function containerState(root: StateRoot, id: string): ContainerState {
  return stateOf(findContainer(root, id), '');
}

/** The state of a container that was found. Pure. */
export function stateOf(
  { record, status }: Pick<Container, 'record' | 'status'>,
  owner: string,
): ContainerState {
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
