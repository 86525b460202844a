import { TsrunError } from '../core/error.ts';
import { findContainer } from '../state/find-container.ts';
import type { StateRoot } from '../state/state-root.ts';
import { type ContainerState, stateOf } from './state.ts';
import { listIds } from '../state/store.ts';
import { userName } from '../native/user.ts';

export interface Listing {
  containers: ContainerState[];
  /** Why the other containers cannot be read. */
  broken: TsrunError[];
}

/** All containers, sorted by id, and the errors of those that are broken. */
export function listContainers(root: StateRoot): Listing {
  const containers: ContainerState[] = [];
  const broken: TsrunError[] = [];
  const nameOf = userNames();
  for (const id of listIds(root.path)) {
    try {
      const container = findContainer(root, id);
      containers.push(stateOf(container, nameOf(container.record.owner)));
    } catch (error) {
      if (!(error instanceof TsrunError)) throw error;
      // It was deleted after listIds() had found it.
      if (error.code === 'not-found') continue;
      broken.push(error);
    }
  }
  return { containers, broken };
}

/** Looks up each user name once; `#1000` for a uid without a name. */
function userNames(): (uid: number) => string {
  const names = new Map([[0, 'root']]);
  return (uid) => {
    const name = names.get(uid) ?? userName(uid) ?? `#${uid}`;
    names.set(uid, name);
    return name;
  };
}
