import type { ContainerFolder } from './folder.ts';
import { folderIdentity } from './folder.ts';
import type { ContainerRecord } from './record.ts';

/** What a container's cgroups are marked with: no other one has the same, nor one of its id in another state root. */
export function ownerName({ id, created }: ContainerRecord, folder: ContainerFolder): string {
  return `${id} ${created} ${folderIdentity(folder)}`;
}

/** Tells the names that ownerName can give to this folder's container, whenever that was created. */
export function isOwnerName(folder: ContainerFolder): (name: string) => boolean {
  const identity = folderIdentity(folder);
  return (name) => {
    const [id, , of, ...more] = name.split(' ');
    return id === folder.id && of === identity && more.length === 0;
  };
}
