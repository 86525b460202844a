import { tidyPath } from '../core/paths.ts';
import { type ParsedMountOptions, parseMountOptions } from './mount-options.ts';
import type { Config, Mount } from './types.ts';

/** One entry of `mounts` with what follows from its options and its type. */
export interface ParsedMount {
  mount: Mount;
  /** `/mounts/2`; '' for a mount that a command adds. */
  pointer: string;
  /** Absolute and tidy. */
  destination: string;
  options: ParsedMountOptions;
  /** A bind mount, by option or by type as with mount(8). The type of any other mount is its filesystem. */
  bind: boolean;
}

export function parseMount(mount: Mount, pointer: string): ParsedMount {
  const options = parseMountOptions(mount.options);
  const bind = options.bind !== 'none' || mount.type === 'bind' || mount.type === 'rbind';
  return { mount, pointer, destination: tidyPath(mount.destination), options, bind };
}

/** The config's mounts, in its order (config.md, "Mounts"). */
export function parseMounts({ mounts = [] }: Pick<Config, 'mounts'>): ParsedMount[] {
  return mounts.map((mount, index) => parseMount(mount, `/mounts/${index}`));
}

/** Files of the mount shall have other owners than their filesystem says (config.md, "Mounts", idmap). */
export function wantsIdmap({ mount, options }: ParsedMount): boolean {
  const { uidMappings = [], gidMappings = [] } = mount;
  return options.idmap !== 'none' || uidMappings.length > 0 || gidMappings.length > 0;
}

/** A bind mount is the container's /dev: its nodes belong to somebody else and are left alone. */
export function hasForeignDev(mounts: readonly ParsedMount[]): boolean {
  return mounts.some(({ destination, bind }) => bind && destination === '/dev');
}

/**
 * Files below /proc that may be mounted over, as lxcfs does to show the container's own resources. The others steer
 * security modules or the kernel.
 */
export const replaceableProcFiles: ReadonlySet<string> = new Set([
  '/proc/cpuinfo',
  '/proc/diskstats',
  '/proc/loadavg',
  '/proc/meminfo',
  '/proc/slabinfo',
  '/proc/stat',
  '/proc/swaps',
  '/proc/uptime',
  '/proc/sys/crypto/fips_enabled',
  '/proc/sys/kernel/ns_last_pid',
]);
