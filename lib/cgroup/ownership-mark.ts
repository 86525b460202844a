/**
 * Whose a cgroup is. Its path does not tell: once a container has ended, another one may take over the empty
 * cgroup it has left, and what is done with the first one must not reach the second. So whoever takes a cgroup
 * writes its name on it.
 */
import { constants } from 'node:os';
import { TsrunError, systemError } from '../core/error.ts';
import { readHostFacts } from '../host/facts.ts';
import { getXattr, setXattr } from '../native/file.ts';
import type { CgroupLayout } from '../host/cgroup-layout.ts';
import { walk } from './walk.ts';
import type { CgroupRecord } from './record.ts';

/**
 * In the order they are tried. A container cannot forge the first one; the second one exists on cgroup v2 only,
 * for those without power over the host.
 */
const attributes = ['trusted.tsrun', 'user.tsrun'] as const;

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
 * @throws TsrunError 'system' when nobody can tell whose one of them is
 */
export function stillMarked(record: CgroupRecord): CgroupRecord | undefined {
  const { mark, paths } = record;
  if (mark === undefined) return record;
  const own = Object.entries(paths).filter(([, directory]) => {
    const value = readMark(directory, mark.name);
    return value === mark.value || value === 'gone';
  });
  if (own.length === 0) return undefined;
  return { ...record, paths: Object.fromEntries(own) };
}

/**
 * The cgroups that are marked with a name `isOwner` knows, as records without what only their maker knew: one, unless
 * a hierarchy has several. Looks at all cgroups of the host.
 */
export function findMarked(
  layout: CgroupLayout,
  privileged: boolean,
  isOwner: (name: string) => boolean,
): CgroupRecord[] {
  // What a container may have forged counts only where there is nothing better.
  const attribute = privileged ? attributes[0] : attributes[1];
  const records: CgroupRecord[] = [];
  for (const { first, mountpoint } of mountedHierarchies(layout)) {
    let found = 0;
    walk(mountpoint, (directory) => {
      const value = readMark(directory, attribute);
      if (value === undefined || value === 'gone' || !isOwner(value)) return;
      const record = (records[found++] ??= {
        driver: 'cgroupfs',
        version: layout.mode === 'v2' ? 2 : 1,
        paths: {},
        shared: {},
        mark: { name: attribute, value },
        ...(layout.mode === 'v2' ? { mountpoint } : {}),
      });
      record.paths[first] = directory;
    });
  }
  return records;
}

function mountedHierarchies({ v1, v2 }: CgroupLayout): { first: string; mountpoint: string }[] {
  return [
    ...v1.map(({ controllers: [first = ''], mountpoint }) => ({ first, mountpoint })),
    ...(v2 === undefined ? [] : [{ first: '', mountpoint: v2.mountpoint }]),
  ];
}

const { ENODATA, ENOENT, ENODEV, EOPNOTSUPP, ERANGE } = constants.errno;

/** The name a cgroup is marked with, or undefined without one, or `gone`. Throws when that cannot be known. */
function readMark(directory: string, attribute: string): string | undefined {
  const value = getXattr(directory, attribute);
  if (typeof value === 'string') return value;
  if (value === -ENOENT || value === -ENODEV) return 'gone';
  // To those without power over the host the kernel says of each trusted attribute that it is not there (xattr(7)).
  const hidden = value === -ENODATA && attribute.startsWith('trusted.') && !readHostFacts().privileged;
  if (hidden) {
    throw new TsrunError('system', `it cannot be told whose the cgroup ${directory} is`, {
      hint: `reading ${attribute} takes CAP_SYS_ADMIN in the initial user namespace`,
    });
  }
  // ERANGE: longer than any name of ours.
  if ([-ENODATA, -EOPNOTSUPP, -ERANGE].includes(value)) return undefined;
  throw systemError(`read whose the cgroup ${directory} is (${attribute})`, value, {
    hint: 'nothing is done to it as long as that is not known; try again',
  });
}
