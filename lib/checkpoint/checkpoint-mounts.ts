import { readFileSync } from 'node:fs';
import type { CriuOptions } from './criu/rpc.ts';
import { fileError, TsrunError } from '../core/error.ts';
import { parseMountinfo } from '../host/mountinfo.ts';
import type { MountEntry } from '../host/mountinfo.ts';
import { parseMounts } from '../config/mounts.ts';
import type { ParsedMountOptions } from '../config/mount-options.ts';
import type { Config } from '../config/types.ts';
import { externalMounts } from './external-mounts.ts';
import { placeInside, withDirectory } from './mount-destination.ts';

/** Tells criu which mounts of the container with the first process `pid` are the host's. */
export function externalMountOptions(pid: number, config: Config): CriuOptions {
  const mounts = mountsOf(pid);
  const idmapped = mounts.find(({ options }) => options.includes('idmapped'));
  if (idmapped !== undefined) {
    throw new TsrunError(
      'unsupported',
      `${idmapped.mountpoint} is mounted with id mappings, which criu would not restore`,
      { hint: 'without them its files would belong to other users' },
    );
  }
  const hostDevices = new Set(mountsOf('self').map(({ device }) => device));
  const external = externalMounts(mounts, hostDevices, bindDestinations(pid, config));
  return { ext_mnt: external.map(({ mountpoint, name }) => ({ key: mountpoint, val: name })) };
}

function mountsOf(pid: number | 'self'): MountEntry[] {
  const path = `/proc/${pid}/mountinfo`;
  try {
    return parseMountinfo(readFileSync(path, 'utf8'));
  } catch (error) {
    throw fileError(`read ${path}`, error);
  }
}

/** Where the bind mounts of the config are, links on the way followed inside the container. */
function bindDestinations(pid: number, config: Config): string[] {
  // The root of its mount namespace, so that the kernel's name for a place is the container's name.
  return withDirectory(`/proc/${pid}/root`, (root) =>
    parseMounts(config)
      .filter(({ bind }) => bind)
      .map(({ destination, options }) => placeOrPath(root, destination, options)),
  );
}

/** The path itself when it leads nowhere. */
function placeOrPath(root: number, path: string, options: ParsedMountOptions): string {
  try {
    return placeInside(root, path, options);
  } catch {
    return path;
  }
}
