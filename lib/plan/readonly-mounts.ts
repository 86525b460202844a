import { mountAttributes } from '../config/mount-options.ts';
import type { ParsedMount } from '../config/mounts.ts';
import type { Op, OpOf } from './wire.ts';

/** What a mount, or all of them, become. */
export interface MountOps {
  ops: Op[];
  /** What becomes read-only when nothing is made in it any more: after devices and hooks. */
  readonlyLater: OpOf<'remount'>[];
}

/** Makes the topmost mount on the destination read-only. */
export function readonlyRemount({ pointer, destination }: ParsedMount): OpOf<'remount'> {
  return {
    op: 'remount',
    origin: `${pointer}/options`,
    destination,
    options: [],
    attributesSet: mountAttributes.readonly,
    attributesClear: 0,
    recursiveSet: 0,
    recursiveClear: 0,
    propagation: [],
    flags: 0,
  };
}

/** The attributes a mount begins with, and the remount that makes it read-only in the end. */
interface Attributes {
  set: number;
  recursiveSet: number;
  readonlyLater: OpOf<'remount'>[];
}

export function splitReadonly(mount: ParsedMount): Attributes {
  const { set } = mount.options.attributes;
  const recursiveSet = mount.options.recursiveAttributes.set;
  const { readonly } = mountAttributes;
  // The mounts that a bind of a tree brings along cannot be told later from those made on it since.
  const recursiveLater = mount.bind ? 0 : recursiveSet & readonly;
  if (!delaysReadonly(mount) || ((set & readonly) | recursiveLater) === 0) {
    return { set, recursiveSet, readonlyLater: [] };
  }
  return {
    set: set & ~readonly,
    recursiveSet: recursiveSet & ~recursiveLater,
    readonlyLater: [readonlyRemount(mount)],
  };
}

/** tmpfs and /dev are filled by mounts and devices that come later, so they must not be read-only yet. */
function delaysReadonly({ mount, destination }: ParsedMount): boolean {
  return mount.type === 'tmpfs' || destination === '/dev';
}
