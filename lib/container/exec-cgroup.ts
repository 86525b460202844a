import { existsSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { cgroupManager } from '../cgroup/cgroup-manager.ts';
import type { SelfJoin } from '../cgroup/manager.ts';
import type { CgroupRecord } from '../cgroup/record.ts';
import { TsrunError } from '../core/error.ts';
import { covers } from '../core/paths.ts';
import { pathExists } from '../host/filesystem.ts';
import { processCgroups } from '../host/proc.ts';
import type { ContainerRecord } from '../state/record.ts';

/**
 * How a process joins the cgroups of a container, or the sub cgroups `sub`: paths by controller, or
 * one for all hierarchies by ''. They must exist.
 * `init` is the pid of the container's first process.
 */
export function execJoin(
  { cgroup, ownsCgroup }: ContainerRecord,
  sub: ReadonlyMap<string, string>,
  init: number,
): SelfJoin {
  if (cgroup === undefined || !ownsCgroup || cgroup.driver === 'disabled') {
    if (sub.size === 0) return { tasks: [], cloneInto: undefined };
    throw new TsrunError('unsupported', 'the container has no cgroups of its own to run a process in');
  }
  if (sub.size > 0) return cgroupManager({ ...cgroup, paths: subPaths(cgroup, sub) }).selfJoin();
  return cgroup.version === 2 ? joinV2(cgroup, init) : cgroupManager(cgroup).selfJoin();
}

function subPaths(record: CgroupRecord, sub: ReadonlyMap<string, string>): Record<string, string> {
  const paths = { ...record.paths };
  const every = sub.get('');
  if (every !== undefined) {
    for (const [controller, directory] of Object.entries(record.paths)) {
      const path = below(directory, every);
      // Beside v1 the v2 hierarchy limits nothing; who makes cgroups for the limits need not make one there.
      const isExtra = controller === '' && record.version === 1 && !pathExists(path);
      if (!isExtra) paths[controller] = existing(path);
    }
    return paths;
  }
  for (const [controller, path] of sub) {
    const hierarchy = record.shared[controller] ?? controller;
    const directory = record.paths[hierarchy];
    if (directory === undefined) {
      throw new TsrunError('usage', `unknown controller ${JSON.stringify(controller)} of a sub cgroup`, {
        hint:
          record.version === 2
            ? 'cgroup v2 has one hierarchy for all: give the path alone'
            : `the container has ${Object.keys(record.paths).join(', ')}`,
      });
    }
    paths[hierarchy] = existing(below(directory, path));
  }
  return paths;
}

/** There are no links in cgroupfs, so the path says where it leads. */
function below(directory: string, path: string): string {
  const joined = posix.join(directory, path);
  if (covers(directory, joined)) return joined.replace(/\/$/, '');
  throw new TsrunError('usage', `${JSON.stringify(path)} is not a sub cgroup path`, {
    hint: 'it must lead to a cgroup below those of the container',
  });
}

function existing(directory: string): string {
  if (existsSync(directory)) return directory;
  throw new TsrunError('usage', `the sub cgroup ${directory} does not exist`);
}

/**
 * A cgroup that gives controllers to its children takes no process. A container that has done so with its own
 * (systemd does) has moved its processes into children first: that of the first process is as good.
 */
function joinV2(record: CgroupRecord, init: number): SelfJoin {
  const directory = record.paths[''];
  if (directory === undefined || !givesControllers(directory)) return cgroupManager(record).selfJoin();
  const path = processCgroups(init)?.find(({ controllers }) => controllers.length === 0)?.path;
  const joined = posix.join(record.mountpoint ?? '/', path ?? '/');
  const cloneInto = covers(directory, joined) ? joined : directory;
  return { tasks: [], cloneInto };
}

function givesControllers(directory: string): boolean {
  try {
    return readFileSync(`${directory}/cgroup.subtree_control`, 'utf8').trim() !== '';
  } catch {
    return false;
  }
}
