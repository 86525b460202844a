import type { MountinfoEntry } from '../host/mountinfo.ts';
import { covers } from '../core/paths.ts';

/** Filesystems that a container mounts itself, though with the device number of the host's (proc_pid_mountinfo(5)). */
const kernelTypes: ReadonlySet<string> = new Set(['proc', 'sysfs', 'mqueue', 'cgroup', 'cgroup2', 'devpts']);

/** A mount in the container that shows files of the host. */
export interface ExternalMount {
  mountpoint: string;
  /** The name by which restore finds what to mount there. */
  name: string;
}

/**
 * The mounts of a container whose content criu must not dump, since it is the host's: bind mounts, the mounts below
 * them, and devices. The names are runc's, so that tsrun and runc can restore each other's
 * images. Pure.
 *
 * @param container the container's mounts
 * @param hostDevices `major:minor` of the filesystems that are mounted on the host
 * @param binds mount points of the config's bind mounts in the container
 */
export function externalMounts(
  container: readonly MountinfoEntry[],
  hostDevices: ReadonlySet<string>,
  binds: readonly string[],
): ExternalMount[] {
  const root = container.find(({ mountpoint }) => mountpoint === '/');
  return container.flatMap((mount): ExternalMount[] => {
    const { mountpoint, device, type } = mount;
    if (mountpoint === '/' || !hostDevices.has(device)) return [];
    if (binds.some((bind) => covers(bind, mountpoint))) return [{ mountpoint, name: mountpoint }];
    if (kernelTypes.has(type) && !showsOneCgroup(mount)) return [];
    // A bind mount of a part of the rootfs, made in the container.
    if (root?.device === device && covers(root.root, mount.root)) return [];
    return [{ mountpoint, name: type === 'devtmpfs' ? `/dev${mount.root}` : mountpoint }];
  });
}

/**
 * A cgroup v1 mount that shows the container's cgroup only: a bind mount or, in a cgroup namespace, a mount that looks
 * like one to criu. criu dumps a filesystem only where its root is mounted.
 */
function showsOneCgroup({ type, root }: MountinfoEntry): boolean {
  return type === 'cgroup' && root !== '/';
}
