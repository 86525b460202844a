import { expect } from 'chai';
import { fullMap, rootFacts, userFacts } from '../plan/testing/fixtures.ts';
import { capabilityMask } from '../config/capabilities.ts';
import type { Finding } from '../core/finding.ts';
import { goodConfig } from '../config/testing/fixtures.ts';
import type { Config } from '../config/types.ts';
import type { HostCheck, HostView } from './host-view.ts';
import { disks, intelRdt, networkDevices } from './devices.ts';
import { hookPrograms, mountSources } from './files.ts';

import { mountLabel, sysctls } from './kernel.ts';
import { resourceBounds } from './resources.ts';
import { idMapHelpers, namespacesAllowed, namespacesExist } from './namespaces.ts';
import { capabilities, oomScore, resourceLimits } from './process.ts';

const all = (1n << 41n) - 1n;

/** A host where everything is there and allowed, with changes. */
function host(change: Partial<HostView> = {}): HostView {
  return {
    facts: rootFacts(),
    capabilities: { permitted: all, bounding: all },
    hardLimits: new Map(),
    oomScoreAdj: 0,
    lastCapability: 40,
    namespaces: new Set(['cgroup', 'ipc', 'mnt', 'net', 'pid', 'time', 'user', 'uts']),
    sysctl: () => undefined,
    hasSysctl: () => true,
    unreachable: () => undefined,
    unreachableLink: () => undefined,
    isOwnNamespace: () => false,
    notExecutable: () => undefined,
    isNamespace: () => true,
    networkDevices: () => new Set(['eth0']),
    isDisk: () => true,
    hasResctrl: () => true,
    ...change,
  };
}

/** What a check has to say of the good config after a change, as `severity pointer`. */
function said(check: HostCheck, change: (config: Config) => unknown, view: HostView = host()): string[] {
  const config = goodConfig();
  change(config);
  const found: Finding[] = [];
  check({ config, bundle: '/bundle', host: view }, (finding) => void found.push(finding));
  return found.map(({ severity, pointer }) => `${severity} ${pointer}`);
}

const nothing = (): undefined => undefined;

describe('preflight of the process', () => {
  it('warns of capabilities the kernel or tsrun has not', () => {
    const edit = (config: Config): void => {
      if (config.process) config.process.capabilities = { bounding: ['CAP_KILL', 'CAP_CHECKPOINT_RESTORE'] };
    };
    expect(said(capabilities, edit)).to.deep.equal([]);
    expect(said(capabilities, edit, host({ lastCapability: 39 }))).to.deep.equal([
      'warning /process/capabilities/bounding/1',
    ]);
    const bounding = capabilityMask(['CAP_CHECKPOINT_RESTORE']);
    const poor = host({ capabilities: { permitted: all, bounding } });
    expect(said(capabilities, edit, poor)).to.deep.equal(['warning /process/capabilities/bounding']);
    const mapped = (config: Config): void => {
      edit(config);
      config.linux?.namespaces?.push({ type: 'user' });
    };
    expect(said(capabilities, mapped, poor)).to.deep.equal([]);
  });

  it('refuses hard limits that cannot be had', () => {
    const edit = (config: Config): void => {
      if (config.process) config.process.rlimits = [{ type: 'RLIMIT_NPROC', soft: 1, hard: 100 }];
    };
    const hardLimits = new Map([['RLIMIT_NPROC', 99n]]);
    const weak = { permitted: 0n, bounding: 0n };
    expect(said(resourceLimits, edit, host({ hardLimits }))).to.deep.equal([]);
    expect(said(resourceLimits, edit, host({ hardLimits, capabilities: weak }))).to.deep.equal([
      'error /process/rlimits/0/hard',
    ]);
    expect(said(resourceLimits, edit, host({ hardLimits, facts: userFacts() }))).to.deep.equal([
      'error /process/rlimits/0/hard',
    ]);
    hardLimits.set('RLIMIT_NPROC', 100n);
    expect(said(resourceLimits, edit, host({ hardLimits, capabilities: weak }))).to.deep.equal([]);
  });

  it('knows that nobody has more open files than fs.nr_open', () => {
    const edit = (config: Config): void => {
      if (config.process) config.process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 1, hard: 1025 }];
    };
    const sysctl = (path: string): bigint | undefined => (path === 'fs/nr_open' ? 1024n : undefined);
    expect(said(resourceLimits, edit, host({ sysctl }))).to.deep.equal(['error /process/rlimits/0/hard']);
  });

  it('warns of a score of the OOM killer that cannot be lowered', () => {
    const edit = (config: Config): unknown => config.process && (config.process.oomScoreAdj = -1);
    expect(said(oomScore, edit)).to.deep.equal([]);
    expect(said(oomScore, edit, host({ facts: userFacts() }))).to.deep.equal([
      'warning /process/oomScoreAdj',
    ]);
    expect(said(oomScore, edit, host({ facts: userFacts(), oomScoreAdj: -1 }))).to.deep.equal([]);
  });
});

describe('preflight of namespaces', () => {
  it('refuses those of the host where a sysctl is set', () => {
    const edit =
      (...names: string[]) =>
      (config: Config): void => {
        if (config.linux === undefined) return;
        config.linux.namespaces = [
          { type: 'ipc', path: '/i' },
          { type: 'network', path: '/n' },
        ];
        config.linux.sysctl = Object.fromEntries(names.map((name) => [name, '1']));
      };
    const own = host({ isOwnNamespace: () => true });
    expect(said(namespacesExist, edit(), own)).to.deep.equal([]);
    expect(said(namespacesExist, edit('net.ipv4.ip_forward', 'fs.mqueue.msg_max'))).to.deep.equal([]);
    expect(said(namespacesExist, edit('net.ipv4.ip_forward'), own)).to.deep.equal([
      'error /linux/namespaces/1/path',
    ]);
    expect(said(namespacesExist, edit('fs.mqueue.msg_max'), own)).to.deep.equal([
      'error /linux/namespaces/0/path',
    ]);
    // Without a word about a path that is not there.
    const gone = host({ isOwnNamespace: () => true, unreachable: () => 2 });
    expect(said(namespacesExist, edit('kernel.sem'), gone)).to.have.length(2);
  });

  it('refuses those that are not there', () => {
    const edit = (config: Config): void => {
      if (config.linux) config.linux.namespaces = [{ type: 'time' }, { type: 'pid', path: '/p' }];
    };
    expect(said(namespacesExist, edit)).to.deep.equal([]);
    expect(said(namespacesExist, edit, host({ namespaces: new Set(['pid']) }))).to.deep.equal([
      'error /linux/namespaces/0/type',
    ]);
    expect(said(namespacesExist, edit, host({ unreachable: () => 2 }))).to.deep.equal([
      'error /linux/namespaces/1/path',
    ]);
    expect(said(namespacesExist, edit, host({ namespaces: undefined }))).to.deep.equal([]);
    expect(said(namespacesExist, edit, host({ isNamespace: () => false }))).to.deep.equal([
      'error /linux/namespaces/1/path',
    ]);
  });

  it('refuses those that are not allowed', () => {
    const weak = { capabilities: { permitted: 0n, bounding: 0n }, facts: userFacts() };
    expect(said(namespacesAllowed, nothing)).to.deep.equal([]);
    expect(said(namespacesAllowed, nothing, host(weak))).to.deep.equal(['error /linux/namespaces']);
    const withUser = (config: Config): unknown => config.linux?.namespaces?.push({ type: 'user' });
    expect(said(namespacesAllowed, withUser, host(weak))).to.deep.equal([]);
    for (const name of ['user/max_user_namespaces', 'kernel/unprivileged_userns_clone']) {
      const sysctl = (path: string): bigint | undefined => (path === name ? 0n : undefined);
      expect(said(namespacesAllowed, withUser, host({ ...weak, sysctl })), name).to.deep.equal([
        'error /linux/namespaces',
      ]);
    }
  });

  it('refuses maps that need a helper that is not there', () => {
    const edit = (config: Config): void => {
      config.linux?.namespaces?.push({ type: 'user' });
      Object.assign(config.linux ?? {}, { uidMappings: fullMap, gidMappings: fullMap });
    };
    const path = process.env['PATH'];
    process.env['PATH'] = '/nowhere';
    try {
      expect(said(idMapHelpers, edit)).to.deep.equal([]);
      expect(said(idMapHelpers, edit, host({ facts: userFacts() }))).to.deep.equal([
        'error /linux/uidMappings',
        'error /linux/gidMappings',
      ]);
    } finally {
      process.env['PATH'] = path;
    }
  });
});

describe('preflight of files', () => {
  it('refuses bind sources that are not there, relative ones in the bundle', () => {
    const edit = (config: Config): void => {
      config.mounts = [
        { destination: '/a', type: 'bind', source: 'a', options: ['bind'] },
        { destination: '/b', source: '/b', options: ['rbind'] },
        { destination: '/c', source: '/c', options: ['bind', 'remount', 'ro'] },
        { destination: '/d', type: 'tmpfs', source: '/d' },
        { destination: '/e', source: '/e', options: ['bind', 'copy-symlink'] },
        { destination: '/f', source: '/f', options: ['bind', 'src-nofollow'] },
      ];
    };
    const asked: string[] = [];
    const unreachable = (path: string): number => {
      asked.push(path);
      return 2;
    };
    expect(said(mountSources, edit, host({ unreachable }))).to.deep.equal([
      'error /mounts/0/source',
      'error /mounts/1/source',
    ]);
    expect(asked).to.deep.equal(['/bundle/a', '/b']);
    // A link that is not followed may lead nowhere.
    expect(said(mountSources, edit, host({ unreachableLink: () => 2 }))).to.deep.equal([
      'error /mounts/4/source',
      'error /mounts/5/source',
    ]);
  });

  it('only warns of a source in the rootfs that an earlier mount may bring', () => {
    const edit = (config: Config): void => {
      config.root = { path: 'rootfs' };
      config.mounts = ['rootfs/a', 'rootfs/b', 'rootfs/../c'].map((source) => ({
        destination: '/x',
        source,
        options: ['bind'],
      }));
    };
    expect(said(mountSources, edit, host({ unreachable: () => 2 }))).to.deep.equal([
      'error /mounts/0/source',
      'warning /mounts/1/source',
      'error /mounts/2/source',
    ]);
  });

  it('warns of filesystems the kernel does not know', () => {
    const edit = (config: Config): void => {
      config.mounts = [
        { destination: '/a', type: 'nofs' },
        { destination: '/b', type: 'proc' },
      ];
    };
    expect(said(mountSources, edit)).to.deep.equal(['warning /mounts/0/type']);
  });

  it('refuses hooks of the host that cannot be executed', () => {
    const hook = [{ path: '/hook' }];
    const edit = (config: Config): unknown =>
      (config.hooks = { prestart: hook, startContainer: hook, poststart: hook, poststop: hook });
    expect(said(hookPrograms, edit, host({ notExecutable: () => 13 }))).to.have.members([
      'error /hooks/prestart/0/path',
      'error /hooks/poststart/0/path',
      'warning /hooks/poststop/0/path',
    ]);
    expect(said(hookPrograms, edit)).to.deep.equal([]);
  });
});

describe('preflight of the kernel', () => {
  it('warns of parameters it may not have', () => {
    const edit = (config: Config): unknown =>
      config.linux && (config.linux.sysctl = { 'net.ipv4.conf.eth7.forwarding': '1', 'net.foo': '1' });
    expect(said(sysctls, edit)).to.deep.equal([]);
    expect(said(sysctls, edit, host({ hasSysctl: () => false }))).to.deep.equal([
      'warning /linux/sysctl/net.foo',
    ]);
  });

  it('warns of a mount label without SELinux', () => {
    const edit = (config: Config): unknown => config.linux && (config.linux.mountLabel = 'x:y:z');
    expect(said(mountLabel, edit)).to.deep.equal(['warning /linux/mountLabel']);
    const facts = rootFacts({ filesystems: new Set(['selinuxfs']) });
    expect(said(mountLabel, edit, host({ facts }))).to.deep.equal([]);
  });
});

describe('preflight of devices and limits', () => {
  it('refuses network devices that are not there', () => {
    const edit = (config: Config): unknown =>
      config.linux && (config.linux.netDevices = { eth0: {}, eth1: { name: 'eth0' } });
    expect(said(networkDevices, edit)).to.deep.equal(['error /linux/netDevices/eth1']);
    expect(said(networkDevices, edit, host({ networkDevices: nothing }))).to.deep.equal([]);
    expect(said(networkDevices, nothing)).to.deep.equal([]);
  });

  it('refuses limits of disks that are not there', () => {
    const edit = (config: Config): unknown =>
      config.linux &&
      (config.linux.resources = {
        blockIO: {
          weightDevice: [{ major: 8, minor: 1, weight: 100 }],
          throttleWriteIOPSDevice: [
            { major: 8, minor: 0, rate: 100 },
            { major: 8, minor: 1, rate: 100 },
          ],
        },
      });
    expect(said(disks, edit)).to.deep.equal([]);
    expect(said(disks, edit, host({ isDisk: (_, minor) => minor === 0 }))).to.deep.equal([
      'error /linux/resources/blockIO/weightDevice/0',
      'error /linux/resources/blockIO/throttleWriteIOPSDevice/1',
    ]);
  });

  it('refuses a class of Intel RDT without resctrl', () => {
    const edit = (config: Config): unknown => config.linux && (config.linux.intelRdt = {});
    expect(said(intelRdt, edit)).to.deep.equal([]);
    expect(said(intelRdt, edit, host({ hasResctrl: () => false }))).to.deep.equal(['error /linux/intelRdt']);
    expect(said(intelRdt, nothing, host({ hasResctrl: () => false }))).to.deep.equal([]);
  });

  it('refuses limits out of the kernel’s bounds', () => {
    const of = (period: number, quota: number, limit: number): string[] =>
      said(resourceBounds, (config) => {
        if (config.linux) config.linux.resources = { cpu: { period, quota }, pids: { limit } };
      });
    expect(of(1000, 1000, 1)).to.deep.equal([]);
    expect(of(1_000_000, 2_000_000, 4_194_304)).to.deep.equal([]);
    expect(of(0, -1, -1)).to.deep.equal([]);
    expect(of(999, 999, 4_194_305)).to.deep.equal([
      'error /linux/resources/cpu/period',
      'error /linux/resources/cpu/quota',
      'error /linux/resources/pids/limit',
    ]);
    expect(of(1_000_001, 0, 0)).to.deep.equal(['error /linux/resources/cpu/period']);
  });
});
