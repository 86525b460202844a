import { validated } from '../core/assert.ts';
import { mountPropagation } from '../config/mount-options.ts';
import { type Draft, originOf } from './draft.ts';
import { type Op, rootModes } from './wire.ts';

const { shared, slave, unbindable, recursive } = mountPropagation;
const privateFlag = mountPropagation.private;

interface Propagation {
  /** For everything of the host that the new mount namespace begins with. */
  host: number;
  /** For the container's / in the end; 0 leaves it private, as it is made. */
  root: number;
}

/**
 * Where events go. Only `shared` lets a mount in the container reach the host; in every other mode all copies of
 * the host's mounts are cut off at once and recursively, also for the modes that are not recursive themselves:
 * a mount below a bind mount of the container would show up on the host otherwise. `unbindable` on the host's
 * side would forbid every bind mount, so it is for the container's / only.
 */
const propagations: ReadonlyMap<string, Propagation> = new Map(
  Object.entries({
    shared: { host: shared, root: shared },
    rshared: { host: shared | recursive, root: shared | recursive },
    slave: { host: slave | recursive, root: slave },
    rslave: { host: slave | recursive, root: slave | recursive },
    // / is private already. A recursive change would undo the propagation that a mount's options ask for.
    private: { host: privateFlag | recursive, root: 0 },
    rprivate: { host: privateFlag | recursive, root: 0 },
    unbindable: { host: slave | recursive, root: unbindable },
    runbindable: { host: slave | recursive, root: unbindable | recursive },
  }),
);

const defaultPropagation: Propagation = { host: slave | recursive, root: 0 };

const propagationPointer = '/linux/rootfsPropagation';

function propagationOf(draft: Draft): Propagation {
  const name = draft.config.linux?.rootfsPropagation;
  if (name === undefined || name === '') return defaultPropagation;
  return validated(propagations.get(name), propagationPointer);
}

const rootPointer = '/root/path';
const readonlyPointer = '/root/readonly';

/** Makes the rootfs the place where all that follows happens. */
export function openRootfs(draft: Draft): Op[] {
  const rootfs: Op = { op: 'rootfs', origin: rootPointer, path: draft.options.rootfs };
  if (!draft.ownMounts) {
    // The mount that the host sees must not change.
    return isReadonly(draft) ? [rootfs, { op: 'detachRootfs', origin: readonlyPointer }] : [rootfs];
  }
  const origin = originOf(draft.config.linux?.rootfsPropagation, propagationPointer);
  // Before any mount: until then a mount could propagate to the host.
  return [{ op: 'hostPropagation', origin, flags: propagationOf(draft).host }, rootfs];
}

/** After everything that makes files in the rootfs. */
export function readonlyRoot(draft: Draft): Op[] {
  return isReadonly(draft) ? [{ op: 'readonlyRoot', origin: readonlyPointer }] : [];
}

function isReadonly({ config }: Draft): boolean {
  return config.root?.readonly === true;
}

/** From here on the host's files are out of reach. */
export function enterRoot(draft: Draft, noPivot: boolean): Op[] {
  if (!draft.ownMounts) return [{ op: 'enterRoot', origin: rootPointer, mode: rootModes.chroot }];
  const mode = noPivot ? rootModes.move : rootModes.pivot;
  const { root } = propagationOf(draft);
  const ops: Op[] = [{ op: 'enterRoot', origin: rootPointer, mode }];
  // Not earlier: pivot_root(2) refuses a shared mount, and what is done on the way should reach nobody.
  if (root !== 0) ops.push({ op: 'rootPropagation', origin: propagationPointer, flags: root });
  return ops;
}
