/** Maps of user and group ids, as user_namespaces(7) wants them in uid_map and gid_map. */
import { TsrunError } from '../core/error.ts';
import type { IdMapping } from '../config/types.ts';

/** One line `inside outside count` for each mapping: the whole text for /proc/<pid>/uid_map or gid_map. */
export function idMapText(mappings: readonly IdMapping[] | undefined): string {
  return (mappings ?? [])
    .map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`)
    .join('');
}

/** The two maps of one user namespace. */
export interface IdMaps {
  uid: readonly IdMapping[];
  gid: readonly IdMapping[];
}

/**
 * Reads crun's `idmap=uids=0-1-10#10-11-10;gids=@0-0-1`: triples of the first id in the filesystem, the first
 * id it becomes, and how many. After `@` the second ids are the container's and `container` says what they
 * are on the host.
 * @throws TsrunError 'config' with `pointer`
 */
export function parseIdmapOption(text: string, container: IdMaps, pointer: string): IdMaps {
  const maps: { uid?: IdMapping[]; gid?: IdMapping[] } = {};
  for (const part of text.split(';').filter((word) => word !== '')) {
    const match = /^([ug])ids=(@?)(.+)$/s.exec(part);
    if (match === null) {
      throw new TsrunError('config', `idmap option '${text}': '${part}' is neither uids=… nor gids=…`, {
        pointer,
      });
    }
    const [, letter, relative, triples = ''] = match;
    const kind = letter === 'u' ? 'uid' : 'gid';
    maps[kind] = triples.split('#').map((triple) => {
      const mapping = parseTriple(triple, text, pointer);
      return relative === '@' ? throughContainer(mapping, container[kind], text, pointer) : mapping;
    });
  }
  const { uid, gid } = maps;
  if (uid === undefined || gid === undefined) {
    throw new TsrunError('config', `idmap option '${text}' must have both uids= and gids=`, { pointer });
  }
  return { uid, gid };
}

function parseTriple(triple: string, text: string, pointer: string): IdMapping {
  const match = /^(\d{1,10})-(\d{1,10})-(\d{1,10})$/.exec(triple);
  if (match === null) {
    throw new TsrunError('config', `idmap option '${text}': '${triple}' is not FIRST-FIRST-COUNT`, {
      pointer,
    });
  }
  return { containerID: Number(match[1]), hostID: Number(match[2]), size: Number(match[3]) };
}

function throughContainer(
  mapping: IdMapping,
  container: readonly IdMapping[],
  text: string,
  pointer: string,
): IdMapping {
  const range = container.find(
    ({ containerID, size }) =>
      mapping.hostID >= containerID && mapping.hostID + mapping.size <= containerID + size,
  );
  if (range === undefined) {
    throw new TsrunError(
      'config',
      `idmap option '${text}': the container's user namespace maps no range with ids ${mapping.hostID} to ` +
        String(mapping.hostID + mapping.size - 1),
      { pointer },
    );
  }
  return { ...mapping, hostID: range.hostID + (mapping.hostID - range.containerID) };
}
