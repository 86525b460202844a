import type { Config, IdMapping, Mount, Namespace } from './types.ts';

/** The version of the runtime specification that tsrun implements. */
export const specVersion = '1.3.0';

/**
 * The config `tsrun spec` writes: a shell in `rootfs` with a terminal, few capabilities and every namespace
 * but user; rootless, the namespaces an unprivileged user can have, with `uid` and `gid` as its root.
 */
export function defaultConfig(options: { rootless: boolean; uid: number; gid: number }): Config {
  const capabilities = () => ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE'];
  return {
    ociVersion: specVersion,
    process: {
      terminal: true,
      user: { uid: 0, gid: 0 },
      args: ['sh'],
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'TERM=xterm'],
      cwd: '/',
      capabilities: { bounding: capabilities(), effective: capabilities(), permitted: capabilities() },
      rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1024, hard: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: 'rootfs', readonly: true },
    hostname: 'tsrun',
    mounts: mounts(options.rootless),
    linux: {
      ...(options.rootless
        ? { uidMappings: toContainerRoot(options.uid), gidMappings: toContainerRoot(options.gid) }
        : { resources: { devices: [{ allow: false, access: 'rwm' }] } }),
      namespaces: namespaces(options.rootless),
      maskedPaths: [
        '/proc/acpi',
        '/proc/asound',
        '/proc/interrupts',
        '/proc/kcore',
        '/proc/keys',
        '/proc/latency_stats',
        '/proc/sched_debug',
        '/proc/scsi',
        '/proc/timer_list',
        '/proc/timer_stats',
        '/sys/devices/virtual/powercap',
        '/sys/firmware',
      ],
      readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
    },
  };
}

function namespaces(rootless: boolean): Namespace[] {
  const common: Namespace[] = [
    { type: 'pid' },
    { type: 'ipc' },
    { type: 'uts' },
    { type: 'mount' },
    { type: 'cgroup' },
  ];
  // Rootless: a network namespace of its own would have no way out without a helper, so the host's is kept.
  return rootless ? [...common, { type: 'user' }] : [...common, { type: 'network' }];
}

function toContainerRoot(hostID: number): IdMapping[] {
  return [{ containerID: 0, hostID, size: 1 }];
}

function mounts(rootless: boolean): Mount[] {
  const devpts = ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'];
  return [
    { destination: '/proc', type: 'proc', source: 'proc' },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      // 5 is the group tty, which a user namespace with one id does not have.
      options: rootless ? devpts : [...devpts, 'gid=5'],
    },
    {
      destination: '/dev/shm',
      type: 'tmpfs',
      source: 'shm',
      options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'],
    },
    {
      destination: '/dev/mqueue',
      type: 'mqueue',
      source: 'mqueue',
      options: ['nosuid', 'noexec', 'nodev'],
    },
    // The kernel gives a new sysfs only to the owner of the network namespace.
    rootless
      ? {
          destination: '/sys',
          type: 'none',
          source: '/sys',
          options: ['rbind', 'nosuid', 'noexec', 'nodev', 'ro'],
        }
      : { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
    {
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'],
    },
  ];
}
