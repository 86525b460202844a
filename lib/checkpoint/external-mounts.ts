import type { MountEntry } from '../host/mountinfo.ts';
import { covers } from '../core/paths.ts';

/** Filesystems a container makes anew, though the host's may be the very same one (proc_pid_mountinfo(5)). */
const remade: ReadonlySet<string> = new Set(['proc', 'sysfs', 'mqueue', 'cgroup', 'cgroup2', 'devpts']);

/** A mount of the container's that comes from outside. */
export interface ExternalMount {
  mountpoint: string;
  /** What restore knows it by. */
  name: string;
}

/**
 * Which mounts of a container show files of the host, so that criu must not try to keep what is in them: bind
 * mounts, with all that is mounted below them, and devices. Names are those runc gives them, which makes the images
 * interchangeable. Pure.
 *
 * @param container the container's mounts.
 * @param hostDevices `major:minor` of what is mounted on the host.
 * @param binds where the config's bind mounts are in the container.
 */
export function externalMounts(
  container: readonly MountEntry[],
  hostDevices: ReadonlySet<string>,
  binds: readonly string[],
): ExternalMount[] {
  const root = container.find(({ mountpoint }) => mountpoint === '/');
  return container.flatMap((mount): ExternalMount[] => {
    const { mountpoint, device, type } = mount;
    if (mountpoint === '/' || !hostDevices.has(device)) return [];
    if (binds.some((bind) => covers(bind, mountpoint))) return [{ mountpoint, name: mountpoint }];
    if (remade.has(type) && !isPartOfLegacyCgroups(mount)) return [];
    // The container's own bind mount of a part of its rootfs.
    if (root?.device === device && covers(root.root, mount.root)) return [];
    return [{ mountpoint, name: type === 'devtmpfs' ? `/dev${mount.root}` : mountpoint }];
  });
}

/**
 * The container's cgroup in a hierarchy of cgroup v1: bound, or mounted in a cgroup namespace, which criu, being
 * outside, cannot tell from it. criu only keeps filesystems whose root is mounted somewhere.
 */
function isPartOfLegacyCgroups({ type, root }: MountEntry): boolean {
  return type === 'cgroup' && root !== '/';
}
