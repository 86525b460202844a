import type { Tell } from '../core/finding.ts';
import { compile } from '../plan/compile.ts';
import { encode } from '../plan/encode.ts';
import { messages, mountFlags, syncPoints } from '../plan/wire.ts';
import type { OpOf } from '../plan/wire.ts';
import type { Config } from '../config/types.ts';
import type { Blueprint } from '../container/prepare-container.ts';
import { Child } from '../native/child.ts';
import { nextMessage, sendGo } from '../engine/messages.ts';
import type { Subject } from '../engine/messages.ts';
import { writeIdMaps } from '../engine/write-id-maps.ts';
import { explainDeath } from '../engine/explain-init-death.ts';
import { launchInit } from '../engine/launch-init.ts';
import { meetInit } from '../engine/adopt-child.ts';
import { notifyMount } from '../service/sd-notify.ts';
import { resolveDestination, withDirectory } from './mount-destination.ts';
import type { ContainerFolder } from '../state/folder.ts';
import { sourcesInside } from '../container/bind-sources.ts';
import { Undo } from '../core/undo.ts';

export type BindMount = OpOf<'mountBind'>;

/**
 * Makes what is missing of the places where things are mounted in the rootfs, as `create` does: criu expects them.
 * For this, the init mounts everything once, with the care it always takes inside a rootfs, in namespaces that end
 * with it. Returns where each bind mount came to be, seen from the container.
 */
export function makeMountpoints(
  blueprint: Blueprint,
  folder: ContainerFolder,
  warn: Tell,
): Map<string, string> {
  const { bundle, facts, rootfs, id, cgroup } = blueprint;
  const plan = compile(mountsOnly(bundle.config), facts, {
    bundle: bundle.directory,
    rootfs,
    containerId: id,
    noPivot: false,
    noNewKeyring: true,
    preserveFds: 0,
    gate: 'engine',
    cgroupPaths: new Map(Object.entries(cgroup.paths)),
    extraEnv: [],
    sourcesInside: sourcesInside(bundle, rootfs),
    extraMounts: blueprint.notifies ? [notifyMount(folder)] : [],
  });
  const undo = new Undo();
  try {
    const { process, sync } = launchInit({ plan: encode(plan), preserveFds: 0 });
    const first = new Child(process.pid, process.pidfd);
    undo.always('put away the init', () => {
      sync.close();
      first.kill();
      first.close();
    });
    const subject: Subject = { op: (index) => plan.ops[index], facts, warn };
    const init = meetInit(sync, subject, undo);
    if (init === undefined) throw explainDeath(bundle.config, cgroup, first.end());
    for (;;) {
      const message = nextMessage(sync, subject);
      if (message?.type !== messages.sync) throw explainDeath(bundle.config, cgroup, init.end());
      if (message.value === syncPoints.hooks) return destinations(init.pid, blueprint);
      writeIdMaps(init.pid, bundle.config.linux, facts);
      sendGo(sync);
    }
  } finally {
    // The throw-away container ends in either case.
    undo.fail().forEach(warn);
  }
}

/** The config without what is not about mounts, and with a hook: the init waits for those once all is mounted. */
function mountsOnly({ ociVersion, root, mounts, linux = {} }: Config): Config {
  const { namespaces = [], uidMappings, gidMappings, rootfsPropagation, devices, mountLabel } = linux;
  return {
    ociVersion,
    ...(root === undefined ? {} : { root }),
    ...(mounts === undefined ? {} : { mounts }),
    process: { cwd: '/', args: ['/'] },
    hooks: { createRuntime: [{ path: '/' }] },
    linux: {
      // Nothing of this is for the processes of a pid namespace that is joined.
      namespaces: namespaces.filter(
        ({ type, path = '' }) => type !== 'time' && !(type === 'pid' && path !== ''),
      ),
      ...(uidMappings === undefined ? {} : { uidMappings }),
      ...(gidMappings === undefined ? {} : { gidMappings }),
      ...(rootfsPropagation === undefined ? {} : { rootfsPropagation }),
      ...(devices === undefined ? {} : { devices }),
      ...(mountLabel === undefined ? {} : { mountLabel }),
    },
  };
}

/** The bind mounts of a plan, in their order. */
export function bindMounts({ plan }: Blueprint): BindMount[] {
  return plan.ops.filter((op): op is BindMount => op.op === 'mountBind');
}

function destinations(pid: number, blueprint: Blueprint): Map<string, string> {
  const { rootfs } = blueprint;
  // Before pivot_root the rootfs is where it is on the host, with the mounts of this namespace on it.
  return withDirectory(`/proc/${pid}/root${rootfs}`, (root) => {
    const places = bindMounts(blueprint).map(({ destination, flags }): [string, string] => {
      const path = resolveDestination(root, destination, {
        destinationNoFollow: (flags & mountFlags.destinationNoFollow) !== 0,
        copySymlink: (flags & mountFlags.copySymlink) !== 0,
      });
      return [destination, path.startsWith(`${rootfs}/`) ? path.slice(rootfs.length) : destination];
    });
    return new Map(places);
  });
}
