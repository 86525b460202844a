import { type ContainerFolder, folderIdentity } from './folder.ts';
import type { ContainerRecord } from './record.ts';

/**
 * The name that marks the cgroups of a container as its own (lib/cgroup/ownership-mark.ts). No other container has it, not
 * even one with this id in another state root.
 */
export function ownerName({ id, created }: ContainerRecord, folder: ContainerFolder): string {
  return `${id} ${created} ${folderIdentity(folder)}`;
}

/** Returns a test for the names that ownerName() gives to containers of this folder, whenever they were created. */
export function isOwnerName(folder: ContainerFolder): (name: string) => boolean {
  const identity = folderIdentity(folder);
  return (name) => {
    const [id, , of, ...more] = name.split(' ');
    return id === folder.id && of === identity && more.length === 0;
  };
}
