import type {
  Capabilities,
  Config,
  Linux,
  Mount,
  Namespace,
  Process,
  Resources,
  Root,
} from '../../lib/config/types.ts';

/** A config whose parts are all there, so that a test changes what it is about and nothing else. */
export interface TestConfig extends Config {
  root: Root;
  hostname: string;
  mounts: Mount[];
  process: Process & { args: string[]; env: string[]; capabilities: Capabilities };
  linux: Linux & {
    namespaces: Namespace[];
    resources: Resources;
    maskedPaths: string[];
    readonlyPaths: string[];
  };
}

const capabilities = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE'];

/** The container most tests start from: much like what `spec` writes, without a terminal. */
export function baseConfig(): TestConfig {
  return {
    ociVersion: '1.3.0',
    root: { path: 'rootfs' },
    hostname: 'tsrun-test',
    process: {
      args: ['true'],
      cwd: '/',
      env: ['PATH=/bin:/usr/bin', 'TERM=xterm'],
      user: { uid: 0, gid: 0 },
      capabilities: {
        bounding: [...capabilities],
        effective: [...capabilities],
        permitted: [...capabilities],
      },
      rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1024, hard: 1024 }],
      noNewPrivileges: true,
    },
    mounts: [
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
        options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
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
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
    ],
    linux: {
      resources: { devices: [{ allow: false, access: 'rwm' }] },
      namespaces: (['pid', 'network', 'ipc', 'uts', 'mount'] as const).map((type) => ({ type })),
      maskedPaths: ['/proc/kcore', '/proc/keys', '/sys/firmware'],
      readonlyPaths: ['/proc/bus', '/proc/sys', '/proc/sysrq-trigger'],
    },
  };
}

/** Gives the process exactly these capabilities in the four sets that allow something. */
export function setCapabilities(config: TestConfig, names: readonly string[]): void {
  for (const set of ['bounding', 'effective', 'permitted'] as const)
    config.process.capabilities[set] = [...names];
}

/** Takes a namespace out, so that the container shares the host's. */
export function shareNamespace(config: TestConfig, type: Namespace['type']): void {
  config.linux.namespaces = config.linux.namespaces.filter((namespace) => namespace.type !== type);
}
