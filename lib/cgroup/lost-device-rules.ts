import type { Resources } from '../config/types.ts';
import type { CgroupRecord } from './record.ts';

/** Why the device rules of a config do not come to be, which is no error of a container like this; or undefined. */
export function lostDeviceRules(
  { driver, unprivileged }: CgroupRecord,
  { devices = [] }: Resources = {},
): string | undefined {
  if (devices.length === 0 || (driver !== 'disabled' && unprivileged !== true)) return undefined;
  const why =
    unprivileged === true ? 'device rules need privileges over the host' : 'the container has no cgroup';
  return `${why}; the rules of the cgroup tsrun runs in apply`;
}
