import { readFileSync, readdirSync } from 'node:fs';
import type { CriuOptions } from './criu/rpc.ts';
import { parseMountinfo } from '../host/mountinfo.ts';
import { processCgroups } from '../host/proc.ts';
import { defaultDevices } from '../plan/devices.ts';
import { covers } from '../core/paths.ts';
import { mountFlags } from '../plan/wire.ts';
import { namespaces } from '../config/namespaces.ts';
import type { PreparedContainer } from '../container/prepare-container.ts';
import { notifyMount } from '../service/sd-notify.ts';
import { bindMounts } from './restore-mountpoints.ts';
import type { ContainerFolder } from '../state/folder.ts';

/**
 * What criu mounts for the external mounts of the dump (external-mounts.ts): the sources of the config's bind mounts,
 * with all mounts below the recursive ones, the host's devices, and the container's notify folder.
 *
 * @param places paths of the bind mounts in the container, by their destinations in the config
 */
export function mountSources(
  prepared: PreparedContainer,
  folder: ContainerFolder,
  places: ReadonlyMap<string, string>,
): CriuOptions {
  const host = parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8')).map(
    ({ mountpoint }) => mountpoint,
  );
  const notify = notifyMount(folder);
  const sources = new Map<string, string>([
    // Harmless when the container has no such mount.
    [notify.destination, notify.source ?? ''],
  ]);
  // In a user namespace, where mknod(2) is denied, devices are bind mounts.
  for (const { path } of [...(prepared.bundle.config.linux?.devices ?? []), ...defaultDevices]) {
    sources.set(path, path);
  }
  for (const [place, path] of legacyCgroups(prepared)) sources.set(place, path);
  for (const { destination, source, flags } of bindMounts(prepared)) {
    const place = places.get(destination) ?? destination;
    sources.set(place, source);
    if ((flags & mountFlags.recursive) === 0) continue;
    for (const below of host) {
      if (below !== source && covers(source, below))
        sources.set(`${place}${below.slice(source.length)}`, below);
    }
  }
  return { ext_mnt: [...sources].map(([key, val]) => ({ key, val })) };
}

/** Mounts of cgroup v1 in a cgroup namespace: the place in the container, and the cgroup on the host. */
function legacyCgroups({ plan, cgroup }: PreparedContainer): [string, string][] {
  return plan.ops.flatMap((op): [string, string][] => {
    if (op.op !== 'mountFilesystem' || op.type !== 'cgroup') return [];
    const path = cgroup.paths[op.options[0] ?? ''];
    return path === undefined ? [] : [[op.destination, path]];
  });
}

/** The cgroups of criu, which is in the container's: criu restores the processes there. */
export function cgroupRoots(pid: number): CriuOptions {
  const cg_root = (processCgroups(pid) ?? []).flatMap(({ controllers, path }) =>
    (controllers.length === 0 ? [''] : controllers).map((ctrl) => ({ ctrl, path })),
  );
  return { cg_root };
}

/** The network namespace as a flag of clone(2) when the dump has no interfaces for it: criu leaves it empty then. */
export function emptyIfNotDumped(images: string): number {
  return readdirSync(images).some((name) => name.startsWith('netdev-')) ? 0 : namespaces.network.flag;
}
