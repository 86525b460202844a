/**
 * Ownership marks on cgroups: extended attributes with the name of the container that a cgroup belongs to. A path is no
 * proof of ownership: another container may have taken over the empty cgroup that an ended one left, and must not be
 * killed or removed in the name of the first.
 */
import { errnos } from '../core/errno.ts';
import { TsrunError, systemError } from '../core/error.ts';
import { readHostFacts } from '../host/facts.ts';
import { getXattr, setXattr } from '../native/file.ts';
import type { CgroupLayout } from '../host/cgroup-layout.ts';
import { walk } from './walk.ts';
import type { CgroupRecord } from './record.ts';

/**
 * In the order they are tried. A container cannot forge the first one, which takes privileges over the host. The second
 * one exists on cgroup v2 only.
 */
const attributes = ['trusted.tsrun', 'user.tsrun'] as const;

/**
 * Marks the directories of `record`, which exist, as those of `owner`, a name that is unique since the host's boot.
 * Undefined when there are no directories, or the kernel stores no such attributes.
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
 * The record without the directories that another container has taken over, or somebody has made anew, since they were
 * marked. Undefined when none is left. Directories that do not exist any more stay: they do no harm.
 * @throws TsrunError 'system' when a mark cannot be read
 */
export function stillMarked(record: CgroupRecord): CgroupRecord | undefined {
  const { mark, paths } = record;
  if (mark === undefined) return record;
  let privileged: boolean | undefined;
  const isPrivileged = (): boolean => (privileged ??= readHostFacts().privileged);
  const own = Object.entries(paths).filter(([, directory]) => {
    const value = readMark(directory, mark.name, isPrivileged);
    return value === mark.value || value === 'gone';
  });
  if (own.length === 0) return undefined;
  return { ...record, paths: Object.fromEntries(own) };
}

/**
 * The cgroups whose mark `isOwner` accepts, as records with no more than the marks tell; more than one record when a
 * hierarchy has several such cgroups. Reads all cgroups of the host.
 * @throws TsrunError 'system' when a mark cannot be read
 */
export function findMarked(
  layout: CgroupLayout,
  privileged: boolean,
  isOwner: (name: string) => boolean,
): CgroupRecord[] {
  // A mark that a container may have forged counts only where tsrun cannot set the other one.
  const attribute = privileged ? attributes[0] : attributes[1];
  const records: CgroupRecord[] = [];
  for (const { first, mountpoint } of mountedHierarchies(layout)) {
    let found = 0;
    walk(mountpoint, (directory) => {
      // tsrun gives no such name.
      if (typeof directory !== 'string') return;
      const value = readMark(directory, attribute, () => privileged);
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

/**
 * The name in the mark of a cgroup; undefined without a mark, `gone` without a cgroup.
 * @throws TsrunError 'system' when it cannot be read
 */
function readMark(directory: string, attribute: string, isPrivileged: () => boolean): string | undefined {
  const value = getXattr(directory, attribute);
  if (typeof value === 'string') return value;
  if (value === -errnos.ENOENT || value === -errnos.ENODEV) return 'gone';
  // The kernel hides trusted attributes from those without privileges over the host: it says ENODATA (xattr(7)).
  if (value === -errnos.ENODATA && attribute.startsWith('trusted.') && !isPrivileged()) {
    throw new TsrunError('system', `it cannot be told which container the cgroup ${directory} belongs to`, {
      hint: `reading ${attribute} takes CAP_SYS_ADMIN in the initial user namespace`,
    });
  }
  // ERANGE: longer than any name of ours.
  if ([-errnos.ENODATA, -errnos.EOPNOTSUPP, -errnos.ERANGE].includes(value)) return undefined;
  throw systemError(`read which container the cgroup ${directory} belongs to (${attribute})`, value, {
    hint: 'nothing is done to it as long as that is not known; try again',
  });
}
