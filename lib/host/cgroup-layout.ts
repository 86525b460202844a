import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { parseMountinfo } from './mountinfo.ts';
import type { MountEntry } from './mountinfo.ts';

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

/** Where every distribution mounts its cgroups. */
const usualPlace = '/sys/fs/cgroup';

/** CGROUP2_SUPER_MAGIC of statfs(2). */
const cgroup2Magic = 0x63677270;

/** Controllers of cgroup v1; its mounts show them among options that are none (`xattr`, `clone_children`). */
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
  // Most hosts have cgroup v2 only, at its usual place, and their mountinfo is long.
  if (isWholeCgroup2(usualPlace)) {
    return { mode: 'v2', v1: [], v2: { mountpoint: usualPlace, controllers: readControllers(usualPlace) } };
  }
  const layout = parseCgroupLayout(readFileSync('/proc/self/mountinfo', 'utf8'));
  if (layout.v2 === undefined) return layout;
  return { ...layout, v2: { ...layout.v2, controllers: readControllers(layout.v2.mountpoint) } };
}

/** The layout that this mountinfo shows, without the controllers of v2, which it does not. */
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
 * The cgroup mounts that a path reaches, those at the usual place first: containers' own mounts of the same
 * hierarchies may be in the list as well.
 */
function visibleCgroupMounts(mountinfo: string): MountEntry[] {
  const entries = parseMountinfo(mountinfo);
  const cgroups = entries.filter(({ type }) => type === 'cgroup' || type === 'cgroup2');
  if (cgroups.length === 0) return [];
  const children = childrenByParent(entries);
  const visible = cgroups.filter((mount) => mountAt(mount.mountpoint, children) === mount);
  const isUsual = (mount: MountEntry): boolean => isBelow(mount.mountpoint, usualPlace);
  return [...visible.filter(isUsual), ...visible.filter((mount) => !isUsual(mount))];
}

/** No mount has this id: parent of the mounts whose own parent lies outside our root directory. */
const outside = -1;

function childrenByParent(entries: readonly MountEntry[]): Map<number, MountEntry[]> {
  const ids = new Set(entries.map(({ id }) => id));
  const children = new Map<number, MountEntry[]>();
  for (const entry of entries) {
    const parent = ids.has(entry.parentId) && entry.parentId !== entry.id ? entry.parentId : outside;
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [entry]);
    else siblings.push(entry);
  }
  return children;
}

/** The mount that `path` leads to, as the kernel walks it: a mount above it may hide the one made for it. */
function mountAt(path: string, children: ReadonlyMap<number, readonly MountEntry[]>): MountEntry | undefined {
  let current: MountEntry | undefined;
  for (;;) {
    let next: MountEntry | undefined;
    for (const child of children.get(current?.id ?? outside) ?? []) {
      const isNearer = next === undefined || child.mountpoint.length <= next.mountpoint.length;
      if (isNearer && isBelow(path, child.mountpoint)) next = child;
    }
    if (next === undefined) return current;
    current = next;
  }
}

/** True for `folder` itself, too. */
function isBelow(path: string, folder: string): boolean {
  if (folder === '/') return true;
  return path.startsWith(folder) && (path.length === folder.length || path[folder.length] === '/');
}

/** True for a mount of all of cgroup v2, and not of a part as containers see it: only its root has no type. */
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
    // A mount that we may not look into offers us nothing.
    return [];
  }
}
