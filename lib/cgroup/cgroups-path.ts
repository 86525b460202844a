import { accessSync, constants } from 'node:fs';
import { posix } from 'node:path';
import { TsrunError } from '../core/error.ts';
import type { CgroupMembership } from '../host/proc.ts';
import type { CgroupLayout } from '../host/cgroup-layout.ts';
import type { CgroupDriver, CgroupRecord } from './record.ts';

const pointer = '/linux/cgroupsPath';

/** Part of a hint. */
export const doWithout = 'To run the container without limits and device rules: --cgroup-manager disabled.';

/** The only named hierarchy a container gets a cgroup in: others belong to whoever named them. */
const systemdHierarchy = 'name=systemd';

export interface CgroupRequest {
  /** linux.cgroupsPath. */
  cgroupsPath?: string | undefined;
  containerId: string;
  driver: CgroupDriver;
  /** HostFacts.rootless. */
  rootless: boolean;
  /** tsrun's own cgroups: processCgroups('self') of lib/host/proc.ts. */
  ownCgroups: readonly CgroupMembership[];
}

/**
 * Decides where the container's cgroups are (config-linux.md, "Cgroups Path"); creates nothing. An absolute
 * cgroupsPath starts at the root of each hierarchy; a relative one, or the container id when there is none,
 * at tsrun's own cgroup. On v2 that is the parent of tsrun's cgroup: a cgroup with processes cannot give
 * controllers to its children.
 *
 * A rootless tsrun that was given no cgroupsPath uses the hierarchies delegated to it, if any. Otherwise none is an
 * error, as with runc: device rules would be lost, and the way to all processes of the container.
 * `writable` says whether this process may create directories in an existing one.
 */
export function resolveCgroup(
  layout: CgroupLayout,
  request: CgroupRequest,
  writable: (directory: string) => boolean = mayWrite,
): CgroupRecord {
  if (request.driver === 'systemd') {
    throw new TsrunError('unsupported', 'the systemd cgroup driver is not available', {
      hint: 'Use --cgroup-manager cgroupfs.',
    });
  }
  const version = layout.mode === 'v2' ? 2 : 1;
  if (request.driver === 'disabled') return { driver: 'disabled', version, paths: {}, shared: {} };
  const inner = innerPath(request);
  const delegatedOnly = request.rootless && !request.cgroupsPath;
  const record: CgroupRecord = { driver: 'cgroupfs', version, paths: {}, shared: {} };
  if (request.rootless) record.unprivileged = true;
  for (const hierarchy of hierarchies(layout)) {
    const [first = '', ...others] = hierarchy.controllers;
    const base = baseDirectory(hierarchy, inner, ownPath(request.ownCgroups, first), version);
    if (delegatedOnly && !writable(base)) continue;
    record.paths[first] = posix.join(base, inner);
    if (version === 2) record.mountpoint = hierarchy.mountpoint;
    for (const other of others) record.shared[other] = first;
  }
  if (Object.keys(record.paths).length > 0) return record;
  if (delegatedOnly) return { ...record, driver: 'disabled' };
  throw new TsrunError('unsupported', 'the container can have no cgroup: no cgroups are mounted here', {
    pointer,
    hint: `Mount them on /sys/fs/cgroup. ${doWithout}`,
  });
}

interface Hierarchy {
  mountpoint: string;
  root?: string;
  controllers: readonly string[];
}

/** All hierarchies in the order a process joins them: the freezer late, since joining may freeze it. */
function hierarchies(layout: CgroupLayout): Hierarchy[] {
  const v1 = layout.v1.filter(({ controllers }) =>
    controllers.some((name) => name === systemdHierarchy || (name !== '' && !name.startsWith('name='))),
  );
  const isFreezer = (hierarchy: Hierarchy): boolean => hierarchy.controllers.includes('freezer');
  const v2 = layout.v2 === undefined ? [] : [{ ...layout.v2, controllers: [''] }];
  if (layout.mode === 'v2') return v2;
  return [...v1.filter((one) => !isFreezer(one)), ...v1.filter(isFreezer), ...v2];
}

/** tsrun's own cgroup in the hierarchy with this controller, '' for v2. */
function ownPath(own: readonly CgroupMembership[], controller: string): string | undefined {
  return own.find(({ controllers }) =>
    controller === '' ? controllers.length === 0 : controllers.includes(controller),
  )?.path;
}

/** The cleaned cgroupsPath: `..` never leads out of where it starts, as if that were the root. */
function innerPath({ cgroupsPath, containerId }: CgroupRequest): string {
  const given = cgroupsPath === undefined || cgroupsPath === '' ? containerId : cgroupsPath;
  const rooted = posix.resolve('/', given);
  if (rooted.includes('\0') || rooted.includes('\n')) {
    throw new TsrunError('config', 'cgroupsPath must not contain a NUL or a line break', { pointer });
  }
  if (rooted === '/') {
    // Killing or pausing the container would then do so to everything in there.
    throw new TsrunError('config', `cgroupsPath "${given}" names the cgroup it starts from`, {
      pointer,
      hint: 'Name a cgroup of its own for the container, for example /group/container.',
    });
  }
  return given.startsWith('/') ? rooted : rooted.slice(1);
}

/** The directory `inner` is to be joined to. */
function baseDirectory(
  { mountpoint, root = '/' }: Hierarchy,
  inner: string,
  own: string | undefined,
  version: 1 | 2,
): string {
  if (inner.startsWith('/') || own === undefined) return mountpoint;
  return posix.join(mountpoint, below(root, version === 2 ? posix.dirname(own) : own));
}

/** The part of `path` below `root`; / when it is not there: seen from inside a container it may be outside. */
function below(root: string, path: string): string {
  if (path === '/..' || path.startsWith('/../')) return '/';
  if (root === '/') return path;
  return path.startsWith(`${root}/`) ? path.slice(root.length) : '/';
}

function mayWrite(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
