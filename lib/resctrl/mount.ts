import { readFileSync } from 'node:fs';
import { TsrunError } from '../errors.ts';
import { parseMountinfo } from '../host/mountinfo.ts';

/**
 * Where resctrl is mounted in tsrun's mount namespace.
 * @throws TsrunError 'unsupported' when it is not: a config that asks for it must not run without
 */
export function resctrlRoot(mountinfo = readFileSync('/proc/self/mountinfo', 'utf8')): string {
  const mount = parseMountinfo(mountinfo).find(({ type, root }) => type === 'resctrl' && root === '/');
  if (mount !== undefined) return mount.mountpoint;
  throw new TsrunError('unsupported', 'no resctrl filesystem is mounted', {
    pointer: '/linux/intelRdt',
    hint: 'on a processor that has it: mount -t resctrl resctrl /sys/fs/resctrl',
  });
}
