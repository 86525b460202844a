import { expect } from 'chai';
import { TsrunError } from '../core/error.ts';
import type { Config, Linux, Mount, Process } from '../config/types.ts';
import { layouts, namespaceList, planOf, planOptions, rootFacts, userFacts } from './testing/fixtures.ts';
import type { HostFacts } from '../host/facts.ts';
import { slots, wireMaxSlots } from './wire.ts';

type Change = (config: Config) => unknown;

const process =
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
    delete config.root;
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

describe('what a plan refuses, word for word', () => {
  const cases: [pointer: string, message: string, change: Change, facts?: HostFacts][] = [
    ['', 'there is no process to run', (config) => delete config.process],
    ['/process/args', 'process.args is empty: there is nothing to run', process({ args: [] })],
    [
      '/process/rlimits/0/type',
      'unknown resource limit RLIMIT_FUN',
      process({ rlimits: [{ type: 'RLIMIT_FUN', soft: 1, hard: 1 }] }),
    ],
    [
      '/process/user/additionalGids',
      'additional groups cannot be set: this user namespace denies setgroups(2)',
      (config) => {
        process({ user: { additionalGids: [5] } })(config);
        config.linux = {
          namespaces: namespaceList('user', 'mount', 'uts'),
          gidMappings: [{ containerID: 0, hostID: 1000, size: 1 }],
        };
      },
      userFacts(),
    ],
    ['/process/env/1', 'invalid environment variable "=x": not NAME=value', process({ env: ['A=', '=x'] })],
    ['/process/env/0', 'invalid environment variable "A": not NAME=value', process({ env: ['A'] })],
    [
      '/process/env/0',
      String.raw`invalid environment variable "A=\u0000": not NAME=value`,
      process({ env: ['A=\0'] }),
    ],
    [
      '/process/apparmorProfile',
      'AppArmor profile box: AppArmor is not enabled on this host',
      process({ apparmorProfile: 'box' }),
    ],
    [
      '/process/selinuxLabel',
      'SELinux label: SELinux is not enabled on this host',
      process({ selinuxLabel: 'x' }),
    ],
    [
      '/hooks/startContainer/0/timeout',
      'hook timeout 0 is not a positive number of seconds',
      (config) => (config.hooks = { startContainer: [{ path: '/h', timeout: 0 }] }),
    ],
    [
      '/hostname',
      "hostname 'box' needs a uts namespace, it would rename the host",
      shared({ hostname: 'box' }),
    ],
    [
      '/domainname',
      "domainname 'org' needs a uts namespace, it would rename the host",
      shared({ domainname: 'org' }),
    ],
    [
      '/linux/readonlyPaths',
      'readonlyPaths needs a mount namespace',
      shared({ linux: { readonlyPaths: ['/x'] } }),
    ],
    ['/linux/maskedPaths', 'maskedPaths needs a mount namespace', shared({ linux: { maskedPaths: ['/x'] } })],
    ['/linux/sysctl/a~1..~1b', "'a/../b' is not the name of a sysctl", linux({ sysctl: { 'a/../b': '1' } })],
    ['/linux/sysctl/a~0~1', "'a~/' is not the name of a sysctl", linux({ sysctl: { 'a~/': '1' } })],
    [
      '/linux/devices/0/type',
      "device type 'x' is not one of c, b, u, p",
      linux({ devices: [{ type: 'x', path: '/dev/x' }] }),
    ],
    [
      '/mounts/0/destination',
      'the destination of a mount is empty',
      mount({ destination: '', type: 'tmpfs' }),
    ],
    ['/mounts/0', 'mount on /x has neither a type nor the option bind', mount({})],
    ['/mounts/0', 'mount on /x has neither a type nor the option bind', mount({ type: '' })],
    ['/mounts/0', 'bind mount on /x has no source', mount({ type: 'bind' })],
    ['/mounts/0', 'bind mount on /x has no source', mount({ type: 'bind', source: '' })],
    [
      '/mounts/0',
      'only bind mounts can have id mappings',
      mount({ type: 'tmpfs', uidMappings: [{ containerID: 0, hostID: 0, size: 1 }] }),
    ],
    [
      '/mounts/0',
      'only bind mounts can have id mappings',
      mount({ type: 'tmpfs', gidMappings: [{ containerID: 0, hostID: 0, size: 1 }] }),
    ],
    [
      '/mounts/0/options/2',
      "option 'exce' is for filesystems, a bind mount cannot have it",
      mount({ type: 'bind', source: '/y', options: ['ro', 'size=1', 'exce'] }),
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
          type: 'bind',
          source: '/y',
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
  const warnings = (change: Change, facts = rootFacts(), options = planOptions()): [string, string][] =>
    planOf(change, facts, options).warnings.map(({ pointer, reason }) => [pointer, reason]);
  const device = { type: 'c', path: '/dev/x' };
  const cgroup: Mount = { destination: '/sys/fs/cgroup', type: 'cgroup' };

  it('mounts and devices without a mount namespace', () => {
    expect(warnings(shared({}))).to.deep.equal([]);
    expect(warnings(shared({ mounts: [], linux: { devices: [] } }))).to.deep.equal([]);
    expect(warnings(shared({ mounts: [cgroup], linux: { devices: [device] } }))).to.have.deep.members([
      ['/mounts', 'nothing is mounted: the container has no mount namespace of its own'],
      ['/linux/devices', 'no devices are made: the container has no mount namespace of its own'],
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
    expect(warnings(bound([]))).to.deep.equal([]);
    expect(warnings(bound([device]))).to.deep.equal([
      ['/linux/devices', 'no devices are made: /dev is a bind mount'],
    ]);
  });

  it('a copy of the image in what is no tmpfs', () => {
    const copy = (type: string): Change => mount({ type, options: ['tmpcopyup'] });
    expect(warnings(copy('tmpfs'))).to.deep.equal([]);
    expect(warnings(copy('ramfs'))).to.deep.equal([
      ['/mounts/0/options', 'tmpcopyup is for tmpfs only, ramfs is left empty'],
    ]);
  });

  it('cgroups that are not there, or cannot be left writable', () => {
    const only = (config: Config): void => {
      config.mounts = [cgroup];
    };
    expect(warnings(only)).to.deep.equal([]);
    expect(warnings(only, rootFacts({ cgroup: layouts.v2 }))).to.deep.equal([]);
    expect(warnings(only, rootFacts({ cgroup: layouts.none }))).to.deep.equal([
      ['/mounts/0/type', 'this host has no cgroups: the mount stays empty'],
    ]);
    const rootless = (options: string[]): Change => {
      return (config) => {
        config.mounts = [{ ...cgroup, options }];
        config.linux = { namespaces: namespaceList('user', 'mount', 'uts') };
      };
    };
    expect(warnings(rootless(['ro']), userFacts())).to.deep.equal([]);
    expect(warnings(rootless([]), userFacts())).to.deep.equal([
      [
        '/mounts/0/type',
        'cgroups are mounted read-only: without a cgroup namespace the container would see and could change those of its user',
      ],
    ]);
  });
});
