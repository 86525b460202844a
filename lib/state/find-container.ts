import type { Status } from '../config/types.ts';
import { checkContainerId } from './container-id.ts';
import type { ContainerRecord } from './record.ts';
import type { StateRoot } from './state-root.ts';
import { containerStatus } from './status.ts';
import { containerFolder } from './folder.ts';
import type { ContainerFolder } from './folder.ts';
import { readRecord } from './store.ts';

/** A container as it is at this moment. */
export interface Found {
  folder: ContainerFolder;
  record: ContainerRecord;
  status: Status;
}

/** Its folder; the id may be anything a user types. Throws 'id' for one that cannot be. */
export function findFolder(root: StateRoot, id: string): ContainerFolder {
  checkContainerId(id);
  return containerFolder(root.path, id);
}

/** The container with this id. Throws 'not-found', or 'corrupt' for one that cannot be understood. */
export function findContainer(root: StateRoot, id: string): Found {
  const folder = findFolder(root, id);
  const record = readRecord(folder);
  return { folder, record, status: containerStatus(folder, record) };
}
