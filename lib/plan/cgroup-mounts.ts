/**
 * Mounts of type `cgroup`: the container's view of its cgroups, for whatever hierarchies the host has
 * (cgroups(7), config-linux.md "Control groups").
 */
import { mountAttributes, wantsReadonly } from '../config/mount-options.ts';
import type { ParsedMount } from '../config/mounts.ts';
import type { CgroupLayout } from '../host/cgroup-layout.ts';
import type { Draft } from './draft.ts';
import { type MountOps, readonlyRemount } from './readonly-mounts.ts';
import type { PlanOptions } from './types.ts';
import { baseName } from '../core/paths.ts';
import { noSlot, type Op, type OpOf } from './wire.ts';

type Hierarchy = CgroupLayout['v1'][number];

const { nosuid, nodev, noexec, readonly } = mountAttributes;
const safeAttributes = nosuid | nodev | noexec;

type CgroupPaths = PlanOptions['cgroupPaths'];

/** The mounts follow from the type; the config names neither their sources nor most destinations. */
function typeOrigin(pointer: string): string {
  return `${pointer}/type`;
}

/** One entry of `mounts` with type `cgroup`. */
export function cgroupMounts(draft: Draft, mount: ParsedMount, paths: CgroupPaths): MountOps {
  const { mode, v2 } = draft.facts.cgroup;
  if (mode === 'v2' && v2 !== undefined) {
    return { ops: [unifiedMount(draft, mount, v2.mountpoint)], readonlyLater: [] };
  }
  if (mode === 'none')
    draft.warn(typeOrigin(mount.pointer), 'this host has no cgroups: the mount stays empty');
  return legacyMounts(draft, mount, paths);
}

/**
 * A filesystem of cgroups shows the tree from the root of the process's cgroup namespace. In the host's namespace the
 * container would see the host's whole tree, and its mount options would change cgroup2 for the whole host. A new user
 * namespace may mount it only together with a new cgroup namespace.
 */
function canMountCgroups({ namespaces }: Draft): boolean {
  if (namespaces.cgroup === 'joined') return namespaces.user !== 'new';
  return namespaces.cgroup === 'new';
}

function unifiedMount(draft: Draft, mount: ParsedMount, mountpoint: string): Op {
  const { pointer, options, destination } = mount;
  const attributes = options.attributes.set;
  if (canMountCgroups(draft)) {
    return cgroupFilesystem(mount, destination, 'cgroup2', options.data, attributes);
  }
  // The same user owns cgroups outside of the container, so file permissions would not keep it from them.
  const guard = draft.facts.privileged ? 0 : readonly;
  if (guard !== 0 && !wantsReadonly(options)) {
    draft.warn(
      typeOrigin(pointer),
      'cgroups are mounted read-only: without a cgroup namespace the container would see and could change those of its user',
    );
  }
  return cgroupBind(mount, destination, mountpoint, attributes | guard);
}

/** A tmpfs with a directory for each v1 hierarchy. On hybrid hosts v2 has no controllers and is left out. */
function legacyMounts(draft: Draft, mount: ParsedMount, paths: CgroupPaths): MountOps {
  const { destination, pointer, options } = mount;
  const attributes = safeAttributes | options.attributes.set;
  const ops: Op[] = [
    {
      op: 'mountFilesystem',
      origin: typeOrigin(pointer),
      destination,
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['mode=755'],
      attributes: attributes & ~readonly,
      recursiveSet: options.recursiveAttributes.set & ~readonly,
      recursiveClear: 0,
      propagation: options.propagation,
      flags: 0,
    },
  ];
  for (const hierarchy of draft.facts.cgroup.v1) {
    const op = hierarchyMount(draft, mount, hierarchy, attributes, paths);
    if (op === undefined) continue;
    const name = baseName(hierarchy.mountpoint);
    ops.push(op, ...controllerLinks(mount, hierarchy, name));
  }
  return { ops, readonlyLater: wantsReadonly(options) ? [readonlyRemount(mount)] : [] };
}

function hierarchyMount(
  draft: Draft,
  mount: ParsedMount,
  { mountpoint, controllers }: Hierarchy,
  attributes: number,
  paths: CgroupPaths,
): Op | undefined {
  const destination = `${mount.destination}/${baseName(mountpoint)}`;
  if (canMountCgroups(draft)) {
    return cgroupFilesystem(mount, destination, 'cgroup', controllers, attributes);
  }
  const path = paths.get(controllers[0] ?? '');
  // Without a cgroup of its own in this hierarchy the container has nothing to see.
  return path === undefined ? undefined : cgroupBind(mount, destination, path, attributes);
}

/** `cpu` and `cpuacct` for the hierarchy `cpu,cpuacct`, as programs look for controllers by their names. */
function controllerLinks(mount: ParsedMount, { controllers }: Hierarchy, name: string): Op[] {
  return controllers
    .filter((controller) => controller !== name && !controller.startsWith('name='))
    .map((controller) => ({
      op: 'symlink',
      origin: typeOrigin(mount.pointer),
      path: `${mount.destination}/${controller}`,
      target: name,
      replace: 0,
    }));
}

function cgroupFilesystem(
  { pointer, options }: ParsedMount,
  destination: string,
  type: string,
  superblock: readonly string[],
  attributes: number,
): OpOf<'mountFilesystem'> {
  return {
    op: 'mountFilesystem',
    origin: typeOrigin(pointer),
    destination,
    type,
    source: 'cgroup',
    options: superblock,
    attributes,
    recursiveSet: options.recursiveAttributes.set,
    recursiveClear: options.recursiveAttributes.clear,
    propagation: options.propagation,
    flags: 0,
  };
}

function cgroupBind(
  { pointer, options }: ParsedMount,
  destination: string,
  source: string,
  attributes: number,
): OpOf<'mountBind'> {
  return {
    op: 'mountBind',
    origin: typeOrigin(pointer),
    destination,
    source,
    // B mounts it by its path: the engine makes the container's cgroups after A has ended.
    slot: noSlot,
    attributesSet: attributes,
    attributesClear: options.attributes.clear & ~attributes,
    recursiveSet: options.recursiveAttributes.set,
    recursiveClear: options.recursiveAttributes.clear,
    propagation: options.propagation,
    flags: 0,
    attributesUnnamed: 0,
    inside: '',
    userSlot: noSlot,
  };
}
