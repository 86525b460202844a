import { compile } from '../compile.ts';
import { type Finding, stopAtError } from '../../core/finding.ts';
import { type JsonValue, writeJson } from '../../config/json/write.ts';
import { bundleOf } from '../../config/testing/fixtures.ts';
import { reportFindings } from '../../config/validate.ts';
import type { Config, Mount, NamespaceType } from '../../config/types.ts';
import type { CgroupLayout } from '../../host/cgroup-layout.ts';
import type { HostFacts } from '../../host/facts.ts';
import type { Plan, PlanOptions } from '../types.ts';
import type { Op, OpName, OpOf } from '../wire.ts';

const caps = ['CAP_KILL', 'CAP_AUDIT_WRITE', 'CAP_NET_BIND_SERVICE'];

/** A config as engines write them: nothing special, everything usual. */
export function usualConfig(): Config {
  return {
    ociVersion: '1.3.0',
    root: { path: 'rootfs', readonly: true },
    hostname: 'box',
    process: {
      cwd: '/',
      args: ['sh'],
      env: ['PATH=/usr/bin:/bin', 'TERM=xterm'],
      user: { uid: 0, gid: 0 },
      capabilities: { bounding: caps, effective: caps, permitted: caps, inheritable: [] },
      rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1024, hard: 4096 }],
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
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
      {
        destination: '/sys/fs/cgroup',
        type: 'cgroup',
        source: 'cgroup',
        options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'],
      },
      { destination: '/data', type: 'bind', source: '/srv/data', options: ['rbind', 'rprivate', 'nodev'] },
    ],
    linux: {
      namespaces: namespaceList('pid', 'network', 'ipc', 'uts', 'mount'),
      maskedPaths: ['/proc/kcore', '/proc/keys'],
      readonlyPaths: ['/proc/sys', '/proc/bus'],
    },
  };
}

export function namespaceList(...types: NamespaceType[]): { type: NamespaceType; path?: string }[] {
  return types.map((type) => ({ type }));
}

export const fullMap = [{ containerID: 0, hostID: 100000, size: 65536 }];

export const layouts = {
  none: { mode: 'none', v1: [] },
  v1: {
    mode: 'v1',
    v1: [
      { mountpoint: '/sys/fs/cgroup/cpu,cpuacct', controllers: ['cpu', 'cpuacct'] },
      { mountpoint: '/sys/fs/cgroup/memory', controllers: ['memory'] },
      { mountpoint: '/sys/fs/cgroup/systemd', controllers: ['name=systemd'] },
    ],
  },
  hybrid: {
    mode: 'hybrid',
    v1: [
      { mountpoint: '/sys/fs/cgroup/memory', controllers: ['memory'] },
      { mountpoint: '/sys/fs/cgroup/systemd', controllers: ['name=systemd'] },
    ],
    v2: { mountpoint: '/sys/fs/cgroup/unified', controllers: [] },
  },
  v2: { mode: 'v2', v1: [], v2: { mountpoint: '/sys/fs/cgroup', controllers: ['cpu', 'memory', 'pids'] } },
} as const satisfies Record<string, CgroupLayout>;

export function rootFacts(change: Partial<HostFacts> = {}): HostFacts {
  return {
    kernel: { major: 6, minor: 1 },
    uid: 0,
    gid: 0,
    privileged: true,
    rootless: false,
    filesystems: new Set(['proc', 'sysfs', 'tmpfs', 'devpts', 'cgroup', 'cgroup2']),
    cgroup: layouts.v1,
    ...change,
  };
}

/** An ordinary user. */
export function userFacts(change: Partial<HostFacts> = {}): HostFacts {
  return rootFacts({
    uid: 1000,
    gid: 1000,
    privileged: false,
    rootless: true,
    cgroup: layouts.v2,
    ...change,
  });
}

export function planOptions(change: Partial<PlanOptions> = {}): PlanOptions {
  return {
    bundle: '/bundle',
    rootfs: '/bundle/rootfs',
    containerId: 'c1',
    noPivot: false,
    noNewKeyring: false,
    preserveFds: 0,
    gate: 'start',
    cgroupPaths: new Map([
      ['cpu', '/sys/fs/cgroup/cpu,cpuacct/c1'],
      ['memory', '/sys/fs/cgroup/memory/c1'],
      ['name=systemd', '/sys/fs/cgroup/systemd/c1'],
    ]),
    extraEnv: [],
    ...change,
  };
}

/** The plan of the usual config with changes. @throws TsrunError what `create` would throw of the config. */
export function planOf(
  change: (config: Config) => unknown = () => undefined,
  facts = rootFacts(),
  options = planOptions(),
): Plan {
  const config = usualConfig();
  change(config);
  validate(config);
  return compile(config, facts, options);
}

/** The pointers and reasons of what `create` would warn of. */
export function warningsOf(
  change: (config: Config) => unknown,
  facts = rootFacts(),
  options = planOptions(),
): [pointer: string, reason: string][] {
  const config = usualConfig();
  change(config);
  const warnings = [...validate(config), ...compile(config, facts, options).warnings];
  return warnings.map(({ pointer, reason }) => [pointer, reason]);
}

function validate(config: Config): Finding[] {
  const warnings: Finding[] = [];
  reportFindings(bundleOf(writeJson(config as unknown as JsonValue)), stopAtError(warnings));
  return warnings;
}

/** What one mount becomes; the usual ones are left out. */
export function mountOps(
  mount: Mount,
  facts = rootFacts(),
  change: (config: Config) => unknown = () => undefined,
): Op[] {
  const plan = planOf((config) => {
    config.mounts = [mount];
    change(config);
  }, facts);
  return plan.ops.filter(({ origin }) => origin.startsWith('/mounts/0'));
}

export function opsOf<N extends OpName>(plan: Pick<Plan, 'ops'>, name: N): OpOf<N>[] {
  return plan.ops.filter((op): op is OpOf<N> & Op => op.op === name);
}

/** The only operation of this name. */
export function onlyOp<N extends OpName>(plan: Pick<Plan, 'ops'>, name: N): OpOf<N> {
  const [op, ...more] = opsOf(plan, name);
  if (op === undefined || more.length > 0) throw new Error(`${more.length + 1} or no operations ${name}`);
  return op;
}

/** Their names, in order. */
export function names(plan: Pick<Plan, 'ops'>): OpName[] {
  return plan.ops.map(({ op }) => op);
}
