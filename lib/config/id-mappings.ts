import type { IdMapping } from './types.ts';

/** The id of the host that an id in a user namespace stands for; undefined when the mappings have it not. */
export function hostId(mappings: readonly IdMapping[], id: number): number | undefined {
  const mapping = mappings.find(({ containerID, size }) => id >= containerID && id < containerID + size);
  return mapping === undefined ? undefined : mapping.hostID + id - mapping.containerID;
}
