import type { Status } from '../config/types.ts';
import { checkContainerId } from './container-id.ts';
import type { ContainerRecord } from './record.ts';
import type { StateRoot } from './state-root.ts';
import { containerStatus } from './status.ts';
import { containerFolder, type ContainerFolder } from './folder.ts';
import { readRecord } from './store.ts';

/** A container as it is at this moment. */
export interface Container {
  folder: ContainerFolder;
  record: ContainerRecord;
  status: Status;
}

/**
 * The folder of the container with this id, which need not exist. The id may be anything a user types.
 *
 * @throws TsrunError 'id' when no container can have this id
 */
export function findFolder(root: StateRoot, id: string): ContainerFolder {
  checkContainerId(id);
  return containerFolder(root.path, id);
}

/**
 * The container with this id.
 *
 * @throws TsrunError 'id'; 'not-found'; 'corrupt' when its record cannot be understood; 'unsupported' when a newer
 * tsrun has written it; 'untrusted' when others could write its folder
 */
export function findContainer(root: StateRoot, id: string): Container {
  const folder = findFolder(root, id);
  const record = readRecord(folder);
  return { folder, record, status: containerStatus(folder, record) };
}
