import { expect } from 'chai';
import { TsrunError } from '../core/error.ts';
import type { Config, Linux, Mount, Process } from '../config/types.ts';
import { layouts, namespaceList, planOf, rootFacts, userFacts, warningsOf } from './testing/fixtures.ts';
import type { HostFacts } from '../host/facts.ts';
import { slots, wireMaxSlots } from './wire.ts';

type Change = (config: Config) => unknown;

const processSpec =
  (given: Partial<Process>): Change =>
  (config) =>
    (config.process = { cwd: '/', args: ['sh'], ...given });

const linux =
  (given: Partial<Linux>): Change =>
  (config) =>
    (config.linux = { ...config.linux, ...given });

const mount =
  (given: Partial<Mount>): Change =>
  (config) =>
    (config.mounts = [{ destination: '/x', ...given }]);

/** A config that shares everything with the host. */
const shared =
  (given: Partial<Config>): Change =>
  (config) => {
    delete config.hostname;
    delete config.mounts;
    config.root = { path: 'rootfs' };
    Object.assign(config, { linux: {} }, given);
  };

function refusal(change: Change, facts = rootFacts()): TsrunError {
  try {
    planOf(change, facts);
  } catch (error) {
    if (error instanceof TsrunError) return error;
    throw error;
  }
  throw new Error('not refused');
}

describe('what a plan refuses of a config, word for word', () => {
  const form = 'is not of the form NAME=value';
  const onlyBind = 'only bind mounts can have id mappings';
  const needsType = 'a mount that is not a bind mount needs the type of its filesystem';
  const needsMount = 'needs a namespace of type "mount"';
  const needsUts = 'needs a namespace of type "uts"';
  const maps = [{ containerID: 0, hostID: 1000, size: 1 }];
  const cases: [pointer: string, message: string, change: Change, facts?: HostFacts][] = [
    ['/process', 'required property is missing', (config) => delete config.process],
    ['/process/args', 'must name the command to run', processSpec({ args: [] })],
    [
      '/process/rlimits/0/type',
      'no such resource limit',
      processSpec({ rlimits: [{ type: 'RLIMIT_FUN', soft: 1, hard: 1 }] }),
    ],
    [
      '/process/user/additionalGids',
      'additional groups cannot be set: this user namespace denies setgroups(2)',
      (config) => {
        processSpec({ user: { additionalGids: [5] } })(config);
        const namespaces = namespaceList('user', 'mount', 'uts');
        config.linux = { namespaces, uidMappings: maps, gidMappings: maps };
      },
      userFacts(),
    ],
    ['/process/env/1', form, processSpec({ env: ['A=', '=x'] })],
    ['/process/env/0', form, processSpec({ env: ['A'] })],
    ['/process/env/0', 'must not contain a NUL', processSpec({ env: ['A=\0'] })],
    [
      '/process/apparmorProfile',
      'AppArmor profile box: AppArmor is not enabled on this host',
      processSpec({ apparmorProfile: 'box' }),
    ],
    [
      '/process/selinuxLabel',
      'SELinux label: SELinux is not enabled on this host',
      processSpec({ selinuxLabel: 'x' }),
    ],
    [
      '/hooks/startContainer/0/timeout',
      'must be an integer from 1 to 2147483647',
      (config) => (config.hooks = { startContainer: [{ path: '/h', timeout: 0 }] }),
    ],
    ['/hostname', needsUts, shared({ hostname: 'box' })],
    ['/domainname', needsUts, shared({ domainname: 'org' })],
    ['/linux/readonlyPaths', needsMount, shared({ linux: { readonlyPaths: ['/x'] } })],
    ['/linux/maskedPaths', needsMount, shared({ linux: { maskedPaths: ['/x'] } })],
    ['/linux/sysctl/a~1..~1b', 'is not the name of a kernel parameter', linux({ sysctl: { 'a/../b': '1' } })],
    ['/linux/sysctl/a~0~1', 'is not the name of a kernel parameter', linux({ sysctl: { 'a~/': '1' } })],
    [
      '/linux/devices/0/type',
      'must be one of c, b, u, p',
      linux({ devices: [{ type: 'x', path: '/dev/x' }] }),
    ],
    ['/mounts/0/destination', 'must not be empty', mount({ destination: '', type: 'tmpfs' })],
    ['/mounts/0/type', needsType, mount({})],
    ['/mounts/0/type', needsType, mount({ type: '' })],
    [
      '/mounts/0',
      'a mount of type "bind" needs the option "bind"; it makes the bind mount, not the type',
      mount({ type: 'bind' }),
    ],
    ['/mounts/0/source', 'a bind mount needs a source', mount({ options: ['bind'] })],
    ['/mounts/0/source', 'a bind mount needs a source', mount({ options: ['bind'], source: '' })],
    ['/mounts/0/uidMappings', onlyBind, mount({ type: 'tmpfs', uidMappings: maps })],
    ['/mounts/0/uidMappings', onlyBind, mount({ type: 'tmpfs', gidMappings: maps })],
    [
      '/mounts/0/options/2',
      'is no option of a bind mount, and no filesystem is mounted here',
      mount({ source: '/y', options: ['bind', 'size=1', 'exce'] }),
    ],
  ];
  for (const [pointer, message, change, facts] of cases) {
    it(`${message} (${pointer})`, () => {
      const error = refusal(change, facts);
      const code = message.includes('not enabled on this host') ? 'unsupported' : 'config';
      expect([error.code, error.pointer, error.message]).to.deep.equal([code, pointer, message]);
    });
  }

  it('more descriptors than a plan may have', () => {
    const mounts = (count: number): Change => {
      return (config) => {
        config.linux = {
          namespaces: namespaceList('user', 'mount', 'uts'),
          uidMappings: [{ containerID: 0, hostID: 1, size: 1 }],
          gidMappings: [{ containerID: 0, hostID: 1, size: 1 }],
        };
        config.mounts = Array.from({ length: count }, () => ({
          destination: '/x',
          source: '/y',
          options: ['bind'],
        }));
      };
    };
    const most = wireMaxSlots - slots.first;
    expect(planOf(mounts(most)).slotCount).to.equal(wireMaxSlots);
    expect(() => planOf(mounts(most + 1)))
      .to.throw(TsrunError, `more than ${most} namespaces and mounts that need a descriptor`)
      .with.property('pointer', `/mounts/${most}`);
  });
});

describe('what a plan warns of, word for word', () => {
  const device = { type: 'c', path: '/dev/x', major: 1, minor: 2 };
  const cgroup: Mount = { destination: '/sys/fs/cgroup', type: 'cgroup' };

  it('mounts and devices without a mount namespace', () => {
    expect(warningsOf(shared({}))).to.deep.equal([]);
    expect(warningsOf(shared({ mounts: [], linux: { devices: [] } }))).to.deep.equal([]);
    expect(warningsOf(shared({ mounts: [cgroup], linux: { devices: [device] } }))).to.have.deep.members([
      ['/mounts', 'needs a namespace of type "mount"; nothing is mounted'],
      ['/linux/devices', 'needs a namespace of type "mount"; no device is made'],
    ]);
  });

  it("devices in somebody else's /dev", () => {
    const bound = (devices: (typeof device)[]): Change => {
      return (config) => {
        config.mounts = [
          { destination: '/x', type: 'tmpfs' },
          { destination: '/dev', source: '/dev', options: ['bind'] },
        ];
        config.linux = { ...config.linux, devices };
      };
    };
    expect(warningsOf(bound([]))).to.deep.equal([]);
    expect(warningsOf(bound([device]))).to.deep.equal([
      ['/linux/devices', 'no device is made: /dev is a bind mount'],
    ]);
  });

  it('a copy of the image in what is no tmpfs', () => {
    const copy = (type: string): Change => mount({ type, options: ['tmpcopyup'] });
    expect(warningsOf(copy('tmpfs'))).to.deep.equal([]);
    expect(warningsOf(copy('ramfs'))).to.deep.equal([
      ['/mounts/0/options/0', 'is for tmpfs only; the ramfs is left empty'],
    ]);
  });

  it('cgroups that are not there, or cannot be left writable', () => {
    const only = (config: Config): void => {
      config.mounts = [cgroup];
    };
    expect(warningsOf(only)).to.deep.equal([]);
    expect(warningsOf(only, rootFacts({ cgroup: layouts.v2 }))).to.deep.equal([]);
    expect(warningsOf(only, rootFacts({ cgroup: layouts.none }))).to.deep.equal([
      ['/mounts/0/type', 'this host has no cgroups: the mount stays empty'],
    ]);
    const rootless = (options: string[]): Change => {
      return (config) => {
        config.mounts = [{ ...cgroup, options }];
        const map = [{ containerID: 0, hostID: 1000, size: 1 }];
        const namespaces = namespaceList('user', 'mount', 'uts');
        config.linux = { namespaces, uidMappings: map, gidMappings: map };
      };
    };
    expect(warningsOf(rootless(['ro']), userFacts())).to.deep.equal([]);
    expect(warningsOf(rootless([]), userFacts())).to.deep.equal([
      [
        '/mounts/0/type',
        'cgroups are mounted read-only: without a cgroup namespace the container would see and could change those of its user',
      ],
    ]);
  });
});
