import { accessSync, constants } from 'node:fs';
import { posix } from 'node:path';
import { TsrunError } from '../core/error.ts';
import { insideOf } from '../core/paths.ts';
import type { CgroupMembership } from '../host/proc.ts';
import type { CgroupLayout } from '../host/cgroup-layout.ts';
import type { CgroupDriver, CgroupRecord } from './record.ts';

export const cgroupsPathPointer = '/linux/cgroupsPath';

/** Part of a hint. */
export const runWithoutCgroups =
  'To run the container without limits and device rules: --cgroup-manager disabled.';

/** The only named hierarchy in which a container gets a cgroup: others belong to whoever made them. */
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
 * cgroupsPath starts at the root of each hierarchy. A relative one, or the container id when there is none, starts at
 * tsrun's own cgroup; on v2 at the parent of that: a cgroup with processes cannot give controllers to its children.
 *
 * A rootless tsrun without a cgroupsPath uses the hierarchies that are delegated to it, and goes without cgroups when
 * none is. For everybody else a container without cgroups is an error, as with runc: device rules would not apply, and
 * its processes could not be found.
 *
 * @param writable whether this process may make directories in an existing one
 * @throws TsrunError 'unsupported' for the systemd driver or a host without cgroups, 'config' for a bad cgroupsPath
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
    pointer: cgroupsPathPointer,
    hint: `Mount them on /sys/fs/cgroup. ${runWithoutCgroups}`,
  });
}

interface Hierarchy {
  mountpoint: string;
  root?: string;
  controllers: readonly string[];
}

/** All hierarchies in the order a process joins them: the freezer last on v1, since joining may freeze it. */
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

/** The normalised cgroupsPath: `..` does not lead out of where it starts, as at the root of a file system. */
function innerPath({ cgroupsPath, containerId }: CgroupRequest): string {
  const given = cgroupsPath === undefined || cgroupsPath === '' ? containerId : cgroupsPath;
  const rooted = posix.resolve('/', given);
  if (rooted.includes('\0') || rooted.includes('\n')) {
    throw new TsrunError('config', 'cgroupsPath must not contain a NUL or a line break', {
      pointer: cgroupsPathPointer,
    });
  }
  if (rooted === '/') {
    // Whoever kills or pauses the container would kill or pause all other processes there.
    throw new TsrunError('config', `cgroupsPath "${given}" names the cgroup it starts from`, {
      pointer: cgroupsPathPointer,
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

/** The part of `path` below `root`; / when it is not below: in a container tsrun's own cgroup may be outside. */
function below(root: string, path: string): string {
  return insideOf(root, path) ?? '/';
}

function mayWrite(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
