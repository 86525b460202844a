/** One entry of the config's `mounts`, read, and what its compilers give back. */
import { TsrunError } from '../core/error.ts';
import { mountAttributes, parseMountOptions } from '../config/mount-options.ts';
import type { ParsedMountOptions } from '../config/mount-options.ts';
import type { Mount } from '../config/types.ts';
import { tidyPath } from './paths.ts';
import type { Op, OpOf } from './wire.ts';

/** One entry of `mounts`, read. */
export interface MountEntry {
  mount: Mount;
  /** `/mounts/2`. */
  pointer: string;
  /** Absolute and tidy. */
  destination: string;
  options: ParsedMountOptions;
}

export interface MountOps {
  ops: Op[];
  /** What becomes read-only when nothing is made in it any more: after devices and hooks. */
  readonlyLater: OpOf<'remount'>[];
}

export function readMount(mount: Mount, pointer: string): MountEntry {
  const { destination } = mount;
  if (destination === '') {
    throw new TsrunError('config', 'the destination of a mount is empty', {
      pointer: `${pointer}/destination`,
    });
  }
  return { mount, pointer, destination: tidyPath(destination), options: parseMountOptions(mount.options) };
}

/** True for a bind mount, by option or by type (mount(8) knows both). */
export function isBind(mount: Mount, options: ParsedMountOptions): boolean {
  return options.bind !== 'none' || mount.type === 'bind' || mount.type === 'rbind';
}

/** True when a bind mount is the container's /dev: its nodes are somebody else's and are left alone. */
export function hasForeignDev(mounts: readonly Mount[] | undefined): boolean {
  return (mounts ?? []).some(
    (mount) => tidyPath(mount.destination) === '/dev' && isBind(mount, parseMountOptions(mount.options)),
  );
}

/** Makes the mount read-only that is on the entry's destination by then. */
export function readonlyRemount({ pointer, destination }: MountEntry): OpOf<'remount'> {
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
