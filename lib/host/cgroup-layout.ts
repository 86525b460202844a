import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { covers } from '../core/paths.ts';
import { type MountinfoEntry, parseMountinfo } from './mountinfo.ts';

/** How cgroups are mounted on this host (cgroups(7)). */
export interface CgroupLayout {
  mode: 'v1' | 'hybrid' | 'v2' | 'none';
  /** v1 hierarchies: where, and which controllers (`cpu`, `name=systemd`). */
  v1: readonly { mountpoint: string; root?: string; controllers: readonly string[] }[];
  /**
   * The v2 hierarchy, when one is mounted. `root`, here and above: the cgroup seen at the mountpoint
   * (mountinfo's fourth field); not / where tsrun itself runs in a container.
   */
  v2?: { mountpoint: string; root?: string; controllers: readonly string[] };
}

/** Where every distribution mounts cgroups. */
const usualMountpoint = '/sys/fs/cgroup';

/** CGROUP2_SUPER_MAGIC of statfs(2). */
const cgroup2Magic = 0x63677270;

/** The controllers of cgroup v1. Mount options contain others, too (`xattr`, `clone_children`). */
const v1Controllers: ReadonlySet<string> = new Set([
  'cpuset',
  'cpu',
  'cpuacct',
  'blkio',
  'memory',
  'devices',
  'freezer',
  'net_cls',
  'perf_event',
  'net_prio',
  'hugetlb',
  'pids',
  'rdma',
  'misc',
  'debug',
]);

/** How cgroups are mounted here. */
export function readCgroupLayout(): CgroupLayout {
  // Most hosts have only cgroup v2, at the usual mountpoint; reading a long mountinfo takes time.
  if (isWholeCgroup2(usualMountpoint)) {
    return {
      mode: 'v2',
      v1: [],
      v2: { mountpoint: usualMountpoint, controllers: readControllers(usualMountpoint) },
    };
  }
  const layout = parseCgroupLayout(readFileSync('/proc/self/mountinfo', 'utf8'));
  if (layout.v2 === undefined) return layout;
  return { ...layout, v2: { ...layout.v2, controllers: readControllers(layout.v2.mountpoint) } };
}

/** The layout that mountinfo shows, without the controllers of v2: mountinfo does not have them. */
export function parseCgroupLayout(mountinfo: string): CgroupLayout {
  const visible = visibleCgroupMounts(mountinfo);
  const v1 = new Map<string, CgroupLayout['v1'][number]>();
  let v2: CgroupLayout['v2'];
  for (const { type, mountpoint, root, superOptions } of visible) {
    const place = root === '/' ? { mountpoint } : { mountpoint, root };
    if (type === 'cgroup2') {
      v2 ??= { ...place, controllers: [] };
      continue;
    }
    const controllers = superOptions.filter((name) => v1Controllers.has(name) || name.startsWith('name='));
    const key = controllers.join(',');
    if (controllers.length > 0 && !v1.has(key)) v1.set(key, { ...place, controllers });
  }
  const mode = v1.size > 0 ? (v2 === undefined ? 'v1' : 'hybrid') : v2 === undefined ? 'none' : 'v2';
  return { mode, v1: [...v1.values()], ...(v2 === undefined ? {} : { v2 }) };
}

/**
 * The cgroup mounts that a path leads to, those at the usual mountpoint first: mountinfo may have mounts of containers
 * as well.
 */
function visibleCgroupMounts(mountinfo: string): MountinfoEntry[] {
  const entries = parseMountinfo(mountinfo);
  const cgroups = entries.filter(({ type }) => type === 'cgroup' || type === 'cgroup2');
  if (cgroups.length === 0) return [];
  const children = childrenByParent(entries);
  const visible = cgroups.filter((mount) => mountAt(mount.mountpoint, children) === mount);
  const isUsual = (mount: MountinfoEntry): boolean => covers(usualMountpoint, mount.mountpoint);
  return [...visible.filter(isUsual), ...visible.filter((mount) => !isUsual(mount))];
}

/** No mount has this id. It stands for the parent of mounts whose parent is outside of our root directory. */
const outside = -1;

function childrenByParent(entries: readonly MountinfoEntry[]): Map<number, MountinfoEntry[]> {
  const ids = new Set(entries.map(({ id }) => id));
  const children = new Map<number, MountinfoEntry[]>();
  for (const entry of entries) {
    const parent = ids.has(entry.parentId) && entry.parentId !== entry.id ? entry.parentId : outside;
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [entry]);
    else siblings.push(entry);
  }
  return children;
}

/** The mount that `path` leads to: another mount above may hide the one that has this mountpoint. */
function mountAt(
  path: string,
  children: ReadonlyMap<number, readonly MountinfoEntry[]>,
): MountinfoEntry | undefined {
  let current: MountinfoEntry | undefined;
  for (;;) {
    let next: MountinfoEntry | undefined;
    for (const child of children.get(current?.id ?? outside) ?? []) {
      const isNearer = next === undefined || child.mountpoint.length <= next.mountpoint.length;
      if (isNearer && covers(child.mountpoint, path)) next = child;
    }
    if (next === undefined) return current;
    current = next;
  }
}

/** True for a mount of the whole v2 hierarchy, and not of a part as in containers: only the root has no cgroup.type. */
function isWholeCgroup2(path: string): boolean {
  try {
    return statfsSync(path).type === cgroup2Magic && !existsSync(`${path}/cgroup.type`);
  } catch {
    return false;
  }
}

function readControllers(mountpoint: string): string[] {
  try {
    const text = readFileSync(`${mountpoint}/cgroup.controllers`, 'utf8').trim();
    return text === '' ? [] : text.split(' ');
  } catch {
    // A mount that may not be read is of no use.
    return [];
  }
}
