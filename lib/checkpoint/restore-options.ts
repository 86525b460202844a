import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { CriuOptions } from './criu/rpc.ts';
import { fileError } from '../core/error.ts';
import { parseMountinfo } from '../host/mountinfo.ts';
import { processCgroups } from '../host/proc.ts';
import { defaultDevices } from '../plan/devices.ts';
import { covers } from '../core/paths.ts';
import { mountFlags } from '../plan/wire.ts';
import { namespaces } from '../config/namespaces.ts';
import type { Blueprint } from '../container/prepare-container.ts';
import { notifyMount } from '../service/sd-notify.ts';
import { bindMounts } from './restore-mountpoints.ts';
import type { ContainerFolder } from '../state/folder.ts';

/**
 * What criu puts in the place of mounts that came from outside (external-mounts.ts): the sources of the config's
 * bind mounts, with everything mounted below recursive ones, the host's devices, and the container's notify socket.
 *
 * @param places where the bind mounts are in the container, by destination.
 */
export function mountSources(
  blueprint: Blueprint,
  folder: ContainerFolder,
  places: ReadonlyMap<string, string>,
): CriuOptions {
  const host = parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8')).map(
    ({ mountpoint }) => mountpoint,
  );
  const notify = notifyMount(folder);
  const sources = new Map<string, string>([
    // criu takes no offence when the container has no such mount.
    [notify.destination, notify.source ?? ''],
  ]);
  // In a user namespace, where no device can be made, these are bind mounts.
  for (const { path } of [...(blueprint.bundle.config.linux?.devices ?? []), ...defaultDevices]) {
    sources.set(path, path);
  }
  for (const [place, path] of legacyCgroups(blueprint)) sources.set(place, path);
  for (const { destination, source, flags } of bindMounts(blueprint)) {
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

/** Where a container with a cgroup namespace has cgroup v1, and what that is on the host. */
function legacyCgroups({ plan, cgroup }: Blueprint): [string, string][] {
  return plan.ops.flatMap((op): [string, string][] => {
    if (op.op !== 'mountFilesystem' || op.type !== 'cgroup') return [];
    const path = cgroup.paths[op.options[0] ?? ''];
    return path === undefined ? [] : [[op.destination, path]];
  });
}

/** The cgroups of criu itself, which has been moved into the container's: the restored processes follow it. */
export function cgroupRoots(pid: number): CriuOptions {
  const cg_root = (processCgroups(pid) ?? []).flatMap(({ controllers, path }) =>
    (controllers.length === 0 ? [''] : controllers).map((ctrl) => ({ ctrl, path })),
  );
  return { cg_root };
}

/**
 * Our stdio in the place of what the container had when it was dumped. criu opens a file anew and wants it to be
 * like the former one; for what was /dev/null it gets `nullFd`, whatever ours is.
 */
export function inheritedStdio(images: string, file: string, nullFd: number): { key: string; fd: number }[] {
  const path = join(images, file);
  let keys: unknown;
  try {
    keys = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw fileError(`read ${path}`, error, {
      hint: '--image-path must be what tsrun checkpoint has written',
    });
  }
  if (!Array.isArray(keys)) return [];
  const inherited = new Map<string, number>();
  for (const [fd, text] of (keys as unknown[]).slice(0, 3).entries()) {
    const [, isNull, key] = /^(null:)?((?:pipe:|socket:|file)\[.*)$/.exec(String(text)) ?? [];
    if (key !== undefined && !inherited.has(key)) inherited.set(key, isNull === undefined ? fd : nullFd);
  }
  return [...inherited].map(([key, fd]) => ({ key, fd }));
}

/** The network namespace is left empty when the dump holds nothing to fill it with. */
export function emptyIfNotDumped(images: string): number {
  return readdirSync(images).some((name) => name.startsWith('netdev-')) ? 0 : namespaces.network.flag;
}
