import { readFileSync } from 'node:fs';
import { TsrunError } from '../core/error.ts';
import { parseMountinfo } from '../host/mountinfo.ts';

/** Where resctrl is mounted in tsrun's mount namespace, if it is. */
export function findResctrl(mountinfo = readFileSync('/proc/self/mountinfo', 'utf8')): string | undefined {
  return parseMountinfo(mountinfo).find(({ type, root }) => type === 'resctrl' && root === '/')?.mountpoint;
}

/** @throws TsrunError 'unsupported' when it is not mounted: a config that asks for it must not run without */
export function resctrlRoot(mountinfo?: string): string {
  const root = findResctrl(mountinfo);
  if (root !== undefined) return root;
  throw noResctrl();
}

/** The error for a config with linux.intelRdt where there is no resctrl. */
export function noResctrl(): TsrunError {
  return new TsrunError('unsupported', 'no resctrl filesystem is mounted', {
    pointer: '/linux/intelRdt',
    hint: 'on a processor that has it: mount -t resctrl resctrl /sys/fs/resctrl',
  });
}
