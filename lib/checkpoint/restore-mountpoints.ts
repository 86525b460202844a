import type { TsrunError } from '../core/error.ts';
import type { Tell } from '../core/finding.ts';
import { Undo } from '../core/undo.ts';
import { compileMountpoints } from '../plan/compile.ts';
import { encode } from '../plan/encode.ts';
import { mountFlags, type OpOf } from '../plan/wire.ts';
import { sourcesInside } from '../container/sources-inside-rootfs.ts';
import type { PreparedContainer } from '../container/prepare-container.ts';
import { explainDeath } from '../engine/explain-init-death.ts';
import { receiveMessages, notInPlan } from '../engine/receive-messages.ts';
import { launchInit } from '../engine/launch-init.ts';
import { writeIdMaps } from '../engine/write-id-maps.ts';
import { notifyMount } from '../service/sd-notify.ts';
import type { ContainerFolder } from '../state/folder.ts';
import { resolveDestination, withDirectory } from './mount-destination.ts';

export type BindMount = OpOf<'mountBind'>;

/**
 * Makes the mount points in the rootfs that are missing, as `create` does: criu expects them. The init makes all mounts
 * for this, in namespaces that end with it. Returns where each bind mount was made, seen from the container.
 */
export function makeMountpoints(
  prepared: PreparedContainer,
  folder: ContainerFolder,
  warn: Tell,
): Map<string, string> {
  const { bundle, facts, rootfs, id, cgroup, notifies } = prepared;
  const plan = compileMountpoints(bundle.config, facts, {
    bundle: bundle.directory,
    rootfs,
    containerId: id,
    cgroupPaths: new Map(Object.entries(cgroup.paths)),
    sourcesInside: sourcesInside(bundle, rootfs),
    extraMounts: notifies ? [notifyMount(folder)] : [],
  });
  const undo = new Undo();
  try {
    const init = launchInit({ plan: encode(plan), preserveFds: 0 }, undo);
    let places = new Map<string, string>();
    const explain = (status: number | undefined): TsrunError => explainDeath(bundle.config, cgroup, status);
    receiveMessages(
      { init, plan, facts, warn, explainDeath: explain },
      {
        pid: () => undefined,
        sync: {
          setup: () => {
            writeIdMaps(init.process.pid, bundle.config.linux, facts);
            return 'go';
          },
          hooks: () => {
            places = destinations(init.process.pid, prepared);
            return 'done';
          },
          entered: notInPlan,
          ready: notInPlan,
        },
        waiting: notInPlan,
        listener: notInPlan,
      },
    );
    return places;
  } finally {
    // The init ends in either case.
    undo.fail().forEach(warn);
  }
}

/** The bind mounts of a plan, in their order. */
export function bindMounts({ plan }: PreparedContainer): BindMount[] {
  return plan.ops.filter((op): op is BindMount => op.op === 'mountBind');
}

function destinations(pid: number, prepared: PreparedContainer): Map<string, string> {
  const { rootfs } = prepared;
  // Before pivot_root the rootfs is where it is on the host, with the mounts of this namespace on it.
  return withDirectory(`/proc/${pid}/root${rootfs}`, (root) => {
    const places = bindMounts(prepared).map(({ destination, flags }): [string, string] => {
      const path = resolveDestination(root, destination, {
        destinationNoFollow: (flags & mountFlags.destinationNoFollow) !== 0,
        copySymlink: (flags & mountFlags.copySymlink) !== 0,
      });
      return [destination, path.startsWith(`${rootfs}/`) ? path.slice(rootfs.length) : destination];
    });
    return new Map(places);
  });
}
