import { expect } from 'chai';
import type { Context } from 'mocha';
import { readFileSync } from 'node:fs';
import { validate } from '#validators/features.js';
import { cgroupManager } from '../cgroup/cgroup-manager.ts';
import { resolveCgroup } from '../cgroup/cgroups-path.ts';
import type { CgroupDriver } from '../cgroup/record.ts';
import { TsrunError } from '../core/error.ts';
import { libseccomp } from '../native/libseccomp.ts';
import { layouts, planOf, planOptions, rootFacts } from '../plan/testing/fixtures.ts';
import { compileFilter } from '../seccomp/compile.ts';
import { actions, architectures, filterFlags } from '../seccomp/constants.ts';
import { filterOf } from '../seccomp/profile.ts';
import { bundleOf, findingsOf, goodConfig } from '../config/testing/fixtures.ts';
import { memoryPolicyFlags, memoryPolicyModes } from '../config/memory-policy.ts';
import type { Config, Linux, LinuxFeatures, Process } from '../config/types.ts';
import { skip } from '../testing/skip.ts';
import { features } from './features.ts';
import { type FeatureFacts, readFeatureFacts } from './features-host.ts';

const build = { version: '1.2.3', commit: 'abc' };
const here = readFeatureFacts();

function linuxOf(change: Partial<FeatureFacts> = {}): LinuxFeatures {
  return features({ ...here, ...change }, build).linux ?? {};
}

const schemas = new URL('../../schemas/', import.meta.url);

/** The values of a property of the config schema that is one of a list. */
function namesIn(file: string, ...path: string[]): string[] {
  const schema: unknown = JSON.parse(readFileSync(new URL(file, schemas), 'utf8'));
  const found = path.reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], schema);
  return (found as { enum: string[] }).enum;
}

/** What was found of seccomp: it may be missing only with the library. */
function seccompFacts(context: Context): NonNullable<typeof here.seccomp> {
  const { seccomp } = here;
  if (seccomp !== undefined) return seccomp;
  let version: string;
  try {
    ({ version } = libseccomp());
  } catch {
    return skip(context, 'libseccomp is not installed');
  }
  throw new Error(`features know nothing of libseccomp ${version}`);
}

describe('features', () => {
  it('agree with their schema, with and without what the host may lack', () => {
    for (const change of [
      {},
      { seccomp: undefined, namespaces: undefined, lastCapability: undefined },
      { host: rootFacts({ cgroup: layouts.none, apparmor: true }) },
    ]) {
      expect(validate(features({ ...here, ...change }, build)), JSON.stringify(validate.errors)).to.equal(
        true,
      );
    }
  });

  it('name versions that a config may have', () => {
    const { ociVersionMin, ociVersionMax } = features(here, build);
    for (const ociVersion of [ociVersionMin, ociVersionMax]) {
      const found = findingsOf(bundleOf(JSON.stringify({ ...goodConfig(), ociVersion })));
      expect(found, ociVersion).to.deep.equal([]);
    }
  });

  it('name every hook and namespace of the schema', () => {
    const schema = JSON.parse(readFileSync(new URL('config.json', schemas), 'utf8')) as {
      properties: { hooks: { properties: object } };
    };
    expect(features(here, build).hooks).to.deep.equal(Object.keys(schema.properties.hooks.properties));
    const types = namesIn('config-linux.json', 'properties', 'namespaces', 'items', 'properties', 'type');
    expect(linuxOf({ namespaces: undefined }).namespaces).to.have.members(types);
  });

  it('name every mount option the specification demands or suggests', () => {
    const rows = (
      'async atime bind defaults dev diratime dirsync exec iversion lazytime loud noatime nodev nodiratime ' +
      'noexec noiversion nolazytime norelatime nostrictatime nosuid private rbind relatime remount ro rprivate ' +
      'rshared rslave runbindable rw shared silent slave strictatime suid sync unbindable nosymfollow symfollow ' +
      'ratime rdev rdiratime rexec rnoatime rnodev rnodiratime rnoexec rnorelatime rnostrictatime rnosuid ' +
      'rnosymfollow rrelatime rro rrw rstrictatime rsuid rsymfollow idmap ridmap mand nomand tmpcopyup'
    ).split(' ');
    expect(features(here, build).mountOptions).to.include.members(rows);
  });

  it('warn of the annotations that decide more than metadata', () => {
    const unsafe = features(here, build).potentiallyUnsafeConfigAnnotations;
    expect(unsafe).to.include.members(['run.oci.seccomp.receiver', 'org.criu.config']);
  });

  it('leave out what the kernel does not know', () => {
    const old = linuxOf({ lastCapability: 37, namespaces: new Set(['mnt', 'pid', 'net', 'ipc', 'uts']) });
    expect(old.capabilities?.at(-1)).to.equal('CAP_AUDIT_READ');
    expect(old.namespaces).to.deep.equal(['ipc', 'mount', 'network', 'pid', 'uts']);
    const last = Number(readFileSync('/proc/sys/kernel/cap_last_cap', 'utf8'));
    expect(linuxOf().capabilities).to.have.length(last + 1);
  });

  it('tell of the host in annotations only', () => {
    const modern = rootFacts({
      apparmor: true,
      cgroup: layouts.v2,
      filesystems: new Set(['selinuxfs', 'resctrl']),
    });
    const old = rootFacts({
      kernel: { major: 5, minor: 11 },
      cgroup: layouts.hybrid,
      filesystems: new Set(),
    });
    const of = (host: FeatureFacts['host']): Record<string, string> =>
      features({ ...here, host }, build).annotations ?? {};
    expect(of(modern)).to.include({
      'io.tsrun.version': '1.2.3',
      'io.tsrun.commit': 'abc',
      'io.tsrun.host.cgroup': 'v2',
      'io.tsrun.host.cgroup.controllers': 'cpu,memory,pids',
      'io.tsrun.host.apparmor': 'true',
      'io.tsrun.host.selinux': 'true',
      'io.tsrun.host.intelRdt': 'true',
      'io.tsrun.host.idmap': 'true',
    });
    expect(of(old)).to.include({
      'io.tsrun.host.cgroup': 'hybrid',
      'io.tsrun.host.cgroup.controllers': 'memory',
      'io.tsrun.host.apparmor': 'false',
      'io.tsrun.host.selinux': 'false',
      'io.tsrun.host.intelRdt': 'false',
      'io.tsrun.host.idmap': 'false',
    });
    const linux = (host: FeatureFacts['host']): LinuxFeatures => linuxOf({ host });
    expect(linux(modern)).to.deep.equal(linux(old));
  });

  it('have checkpoints, and tell whether the host has criu', () => {
    for (const criu of [true, false]) {
      expect(features({ ...here, criu }, build).annotations).to.include({
        'io.tsrun.checkpoint.enabled': 'true',
        'org.opencontainers.runc.checkpoint.enabled': 'true',
        'io.tsrun.host.criu': String(criu),
      });
    }
  });

  it('have no seccomp without libseccomp', () => {
    expect(linuxOf({ seccomp: undefined }).seccomp).to.deep.equal({ enabled: false });
    const { annotations } = features({ ...here, seccomp: undefined }, build);
    expect(annotations).to.not.have.property('io.github.seccomp.libseccomp.version');
  });
});

/** A property, and whether the features claim it. */
const claims: [string, (linux: LinuxFeatures) => boolean | undefined, Partial<Process>, Partial<Linux>][] = [
  ['apparmor', ({ apparmor }) => apparmor?.enabled, { apparmorProfile: 'unconfined' }, {}],
  ['selinux', ({ selinux }) => selinux?.enabled, { selinuxLabel: 'a:b:c:s0' }, {}],
  ['memoryPolicy', (linux) => linux.memoryPolicy !== undefined, {}, { memoryPolicy: { mode: 'MPOL_LOCAL' } }],
  ['intelRdt', ({ intelRdt }) => intelRdt?.enabled, {}, { intelRdt: { closID: 'c' } }],
  ['intelRdt schemata', ({ intelRdt }) => intelRdt?.schemata, {}, { intelRdt: { schemata: ['L3:0=f'] } }],
  [
    'intelRdt monitoring',
    ({ intelRdt }) => intelRdt?.monitoring,
    {},
    { intelRdt: { enableMonitoring: true } },
  ],
  ['netDevices', ({ netDevices }) => netDevices?.enabled, {}, { netDevices: { dummy0: {} } }],
  [
    'seccomp',
    ({ seccomp }) => seccomp?.enabled,
    {},
    { seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [] } },
  ],
];

/** The pointer of the property a plan for it is refused for, if it is. */
function refused(processSpec: Partial<Process>, linux: Partial<Linux>): string | undefined {
  const change = (config: Config): void => {
    config.process = { cwd: '/', ...config.process, ...processSpec };
    config.linux = { ...config.linux, ...linux };
  };
  const facts = rootFacts({
    apparmor: true,
    filesystems: new Set([...rootFacts().filesystems, 'selinuxfs', 'resctrl']),
  });
  const seccomp = { program: new Uint8Array(8), flags: 0, notify: false };
  try {
    planOf(change, facts, planOptions({ seccomp }));
    return undefined;
  } catch (error) {
    if (error instanceof TsrunError && error.code === 'unsupported') return error.pointer;
    throw error;
  }
}

describe('what the features claim', () => {
  for (const [name, claimed, processSpec, linux] of claims) {
    it(`of ${name} is what a plan can have`, () => {
      expect(refused(processSpec, linux) === undefined).to.equal(claimed(linuxOf()));
    });
  }

  it('of mount options is what a mount can have', () => {
    for (const name of features(here, build).mountOptions ?? []) {
      const isBind = name.endsWith('bind') || name.endsWith('idmap') || /nofollow$|symlink$/.test(name);
      const options = isBind ? ['bind', name] : [name];
      const mount = { destination: '/x', type: 'tmpfs', source: '/x', options };
      const maps = [{ containerID: 0, hostID: 1000, size: 1 }];
      const mapped = name.endsWith('idmap') ? { ...mount, uidMappings: maps, gidMappings: maps } : mount;
      expect(() => planOf((config) => (config.mounts = [mapped])), name).to.not.throw();
    }
  });

  it('of cgroups is what there are managers for', () => {
    const { cgroup } = linuxOf();
    const resolves = (driver: CgroupDriver, mode: 'v1' | 'v2'): boolean => {
      try {
        cgroupManager(
          resolveCgroup(layouts[mode], {
            cgroupsPath: driver === 'systemd' ? 'a.slice:b:c' : '/a',
            containerId: 'c1',
            driver,
            rootless: false,
            ownCgroups: [],
          }),
        );
        return true;
      } catch (error) {
        if (error instanceof TsrunError && error.code === 'unsupported') return false;
        throw error;
      }
    };
    expect(resolves('cgroupfs', 'v1')).to.equal(cgroup?.v1);
    expect(resolves('cgroupfs', 'v2')).to.equal(cgroup?.v2);
    expect(resolves('systemd', 'v2')).to.equal(cgroup?.systemd);
  });

  it('of seccomp is what libseccomp compiles', function () {
    const seccomp = seccompFacts(this);
    const compiles = (profile: Parameters<typeof compileFilter>[0]): boolean => {
      try {
        return compileFilter(profile).program.length > 0;
      } catch (error) {
        if (error instanceof TsrunError) return false;
        throw error;
      }
    };
    for (const name of Object.keys(actions)) {
      const defaultAction = name === 'SCMP_ACT_ALLOW' ? 'SCMP_ACT_ERRNO' : 'SCMP_ACT_ALLOW';
      const profile = { defaultAction, syscalls: [{ names: ['getpid'], action: name }] };
      expect(compiles(profile), name).to.equal(seccomp.actions.has(name));
    }
    for (const name of Object.keys(architectures)) {
      // Not for the rules of another architecture, which libseccomp may be unable to mix with the native ones.
      const profile = { defaultAction: 'SCMP_ACT_ALLOW', architectures: [name], syscalls: [] };
      if (!seccomp.architectures.has(name)) expect(compiles(profile), name).to.equal(false);
    }
    expect(seccomp.architectures).to.include.keys('SCMP_ARCH_X86_64', 'SCMP_ARCH_AARCH64');
  });

  it('of names is what the schema lets a config say', () => {
    const all = ['definitions', 'seccomp', 'properties'];
    expect(Object.keys(actions)).to.have.members(
      namesIn('config-linux.json', 'definitions', 'seccompAction'),
    );
    expect(Object.keys(architectures)).to.have.members(
      namesIn('config-linux.json', ...all, 'architectures', 'items'),
    );
    expect(Object.keys(filterFlags)).to.have.members(namesIn('config-linux.json', ...all, 'flags', 'items'));
    const policy = ['properties', 'memoryPolicy', 'properties'];
    expect([...memoryPolicyModes.keys()]).to.have.members(namesIn('config-linux.json', ...policy, 'mode'));
    expect([...memoryPolicyFlags.keys()]).to.have.members(
      namesIn('config-linux.json', ...policy, 'flags', 'items'),
    );
  });

  it('of flags is what this kernel takes', function () {
    const seccomp = seccompFacts(this);
    const { major, minor } = here.host.kernel;
    // Linux 4.17 was the first with all but the last one, which came with 5.19.
    if (major > 5 || (major === 5 && minor >= 19)) {
      expect([...seccomp.flags]).to.have.members(Object.keys(filterFlags));
    }
    const flagsOf = (flag: string, action: string): number =>
      filterOf({ defaultAction: 'SCMP_ACT_ALLOW', flags: [flag], syscalls: [{ names: ['getpid'], action }] })
        .flags;
    for (const flag of seccomp.flags) {
      // Some go only with a listener, some only without one.
      const bits = flagsOf(flag, 'SCMP_ACT_ERRNO') | flagsOf(flag, 'SCMP_ACT_NOTIFY');
      expect(bits & (filterFlags[flag] ?? 0), flag).to.equal(filterFlags[flag]);
    }
  });
});
