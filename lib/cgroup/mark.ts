/**
 * Whose a cgroup is. Its path does not tell: once a container has ended, another one may take over the empty
 * cgroup it has left, and what is done with the first one must not reach the second. So whoever takes a cgroup
 * writes its name on it.
 */
import { constants } from 'node:os';
import { getXattr, setXattr } from '../host/xattr.ts';
import type { CgroupRecord } from './types.ts';

/**
 * In the order they are tried. A container cannot forge the first one; the second one exists on cgroup v2 only,
 * for those without power over the host.
 */
const attributes = ['trusted.tsrun', 'user.tsrun'];

/**
 * Marks the directories of `record`, which exist, as those of `owner`, a name nobody else has had since the host
 * was started. Undefined when there are none, or the kernel keeps no such marks.
 */
export function markCgroups({ paths }: CgroupRecord, owner: string): CgroupRecord['mark'] {
  const directories = Object.values(paths);
  if (directories.length === 0) return undefined;
  const name = attributes.find((attribute) =>
    directories.every((directory) => setXattr(directory, attribute, owner) === 0),
  );
  return name === undefined ? undefined : { name, value: owner };
}

/**
 * The record without the directories that were taken over by somebody else, or made anew, since they were marked.
 * Undefined when none is left. What does not exist any more stays: it does no harm.
 */
export function stillMarked(record: CgroupRecord): CgroupRecord | undefined {
  const { mark, paths } = record;
  if (mark === undefined) return record;
  const own = Object.entries(paths).filter(([, directory]) => {
    const value = getXattr(directory, mark.name);
    return value === mark.value || value === -constants.errno.ENOENT;
  });
  if (own.length === 0) return undefined;
  return { ...record, paths: Object.fromEntries(own) };
}
