import { readFileSync } from 'node:fs';
import type { CriuOptions } from './criu/rpc.ts';
import { fileError, TsrunError } from '../core/error.ts';
import { type MountinfoEntry, parseMountinfo } from '../host/mountinfo.ts';
import { parseMounts } from '../config/mounts.ts';
import type { ParsedMountOptions } from '../config/mount-options.ts';
import type { Config } from '../config/types.ts';
import { externalMounts } from './external-mounts.ts';
import { resolveDestination, withDirectory } from './mount-destination.ts';

/**
 * The external mounts of the container with the first process `pid`, as options for criu.
 *
 * @throws TsrunError 'unsupported' for a mount with id mappings
 */
export function externalMountOptions(pid: number, config: Config): CriuOptions {
  const mounts = mountsOf(pid);
  const idmapped = mounts.find(({ options }) => options.includes('idmapped'));
  if (idmapped !== undefined) {
    throw new TsrunError(
      'unsupported',
      `${idmapped.mountpoint} is mounted with id mappings, which criu would not restore`,
      { hint: 'without the mappings its files would belong to other users' },
    );
  }
  const hostDevices = new Set(mountsOf('self').map(({ device }) => device));
  const external = externalMounts(mounts, hostDevices, bindDestinations(pid, config));
  return { ext_mnt: external.map(({ mountpoint, name }) => ({ key: mountpoint, val: name })) };
}

function mountsOf(pid: number | 'self'): MountinfoEntry[] {
  const path = `/proc/${pid}/mountinfo`;
  try {
    return parseMountinfo(readFileSync(path, 'utf8'));
  } catch (error) {
    throw fileError(`read ${path}`, error);
  }
}

/** The mount points of the config's bind mounts in the container. */
function bindDestinations(pid: number, config: Config): string[] {
  // Through this link the kernel's path of a file is its path in the container.
  return withDirectory(`/proc/${pid}/root`, (root) =>
    parseMounts(config)
      .filter(({ bind }) => bind)
      .map(({ destination, options }) => resolveOrKeep(root, destination, options)),
  );
}

/** The path itself when nothing is there. */
function resolveOrKeep(root: number, path: string, options: ParsedMountOptions): string {
  try {
    return resolveDestination(root, path, options);
  } catch {
    return path;
  }
}
