import { TsrunError } from '../core/error.ts';
import { findContainer } from '../state/find-container.ts';
import type { StateRoot } from '../state/state-root.ts';
import type { ContainerState } from './state.ts';
import { describe } from './state.ts';
import { listIds } from '../state/store.ts';
import { userName } from '../native/user.ts';

export interface Listing {
  containers: ContainerState[];
  /** What is wrong with the folders that are left out. */
  broken: TsrunError[];
}

/** All containers, by id. A broken folder hides no other container. */
export function listContainers(root: StateRoot): Listing {
  const containers: ContainerState[] = [];
  const broken: TsrunError[] = [];
  const nameOf = userNames();
  for (const id of listIds(root.path)) {
    try {
      const { record, status } = findContainer(root, id);
      containers.push(describe(record, status, nameOf(record.owner)));
    } catch (error) {
      if (!(error instanceof TsrunError)) throw error;
      // Deleted since the folder was listed.
      if (error.code === 'not-found') continue;
      broken.push(error);
    }
  }
  return { containers, broken };
}

/** Ids of all containers, also of those that cannot be read; for completion. */
export function listContainerIds(root: StateRoot): string[] {
  return listIds(root.path);
}

/** The name of a user, asked for once; `#1000` for one that the host does not know. */
function userNames(): (uid: number) => string {
  const names = new Map([[0, 'root']]);
  return (uid) => {
    const name = names.get(uid) ?? userName(uid) ?? `#${uid}`;
    names.set(uid, name);
    return name;
  };
}
