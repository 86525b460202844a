/** Maps of user and group ids, as user_namespaces(7) wants them in uid_map and gid_map. */
import type { IdMapping } from './types.ts';

/** The two maps of one user namespace. */
export interface IdMaps {
  uid: readonly IdMapping[];
  gid: readonly IdMapping[];
}

/** One line `inside outside count` for each mapping: the whole text for /proc/<pid>/uid_map or gid_map. */
export function idMapText(mappings: readonly IdMapping[] | undefined): string {
  return (mappings ?? [])
    .map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`)
    .join('');
}

/** The host's id for an id in a user namespace; undefined when no mapping has it. */
export function hostId(mappings: readonly IdMapping[], id: number): number | undefined {
  const mapping = mappings.find(({ containerID, size }) => id >= containerID && id < containerID + size);
  return mapping === undefined ? undefined : mapping.hostID + id - mapping.containerID;
}

/**
 * Parses the value of crun's option `idmap=uids=0-1-10#10-11-10;gids=@0-0-1`: triples of the first id in the
 * filesystem, the first id it becomes, and how many. After `@` the second ids are the container's and `container`
 * says what they are on the host.
 *
 * @returns the maps, or what is wrong with the text.
 */
export function parseIdmapOption(text: string, container: IdMaps): IdMaps | string {
  const maps: { uid?: IdMapping[]; gid?: IdMapping[] } = {};
  for (const part of text.split(';').filter((word) => word !== '')) {
    const [, letter, relative, triples] = /^([ug])ids=(@?)(.+)$/s.exec(part) ?? [];
    if (triples === undefined) return problem(text, `${quote(part)} is neither uids=… nor gids=…`);
    const kind = letter === 'u' ? 'uid' : 'gid';
    const mappings: IdMapping[] = [];
    for (const triple of triples.split('#')) {
      const [, inside, outside, size] = /^(\d{1,10})-(\d{1,10})-(\d{1,10})$/.exec(triple) ?? [];
      if (size === undefined) return problem(text, `${quote(triple)} is not FIRST-FIRST-COUNT`);
      const mapping = { containerID: Number(inside), hostID: Number(outside), size: Number(size) };
      const onHost = relative === '@' ? throughContainer(mapping, container[kind]) : mapping;
      if (typeof onHost === 'string') return problem(text, onHost);
      mappings.push(onHost);
    }
    maps[kind] = mappings;
  }
  const { uid, gid } = maps;
  return uid === undefined || gid === undefined ? problem(text, 'needs both uids= and gids=') : { uid, gid };
}

const quote = (text: string): string => JSON.stringify(text);

function problem(text: string, reason: string): string {
  return `idmap=${text}: ${reason}`;
}

function throughContainer(mapping: IdMapping, container: readonly IdMapping[]): IdMapping | string {
  const { hostID, size } = mapping;
  const range = container.find(
    (own) => hostID >= own.containerID && hostID + size <= own.containerID + own.size,
  );
  return range === undefined
    ? `the container's user namespace maps no range with ids ${hostID} to ${hostID + size - 1}`
    : { ...mapping, hostID: range.hostID + hostID - range.containerID };
}
