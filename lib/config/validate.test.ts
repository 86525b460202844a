import { expect } from 'chai';
import { TsrunError } from '../core/error.ts';
import { bundleOf, engineConfig, findingsOf, goodConfig } from './testing/fixtures.ts';
import { defaultConfig } from './defaults.ts';
import { validateConfig } from './validate.ts';

/** A good config with the value at a dotted path replaced; undefined removes it. */
function spoilt(path: string, value: unknown, base: object = goodConfig()): object {
  const config: unknown = structuredClone(base);
  const names = path.split('.');
  const last = names.pop() ?? '';
  let parent = config as Record<string, unknown>;
  for (const name of names) {
    parent[name] ??= {};
    parent = parent[name] as Record<string, unknown>;
  }
  if (value === undefined) Reflect.deleteProperty(parent, last);
  else parent[last] = value;
  return config as object;
}

/** Every finding, as `severity pointer: reason`. */
function findings(config: object | string): string[] {
  const bundle = bundleOf(typeof config === 'string' ? config : JSON.stringify(config));
  const found = findingsOf(bundle);
  return found.map(({ severity, pointer, reason }) => `${severity} ${pointer}: ${reason}`);
}

describe('validateConfig', () => {
  it('has nothing to say of configs as they should be', () => {
    for (const config of [
      goodConfig(),
      defaultConfig({ rootless: true, uid: 1000, gid: 100 }),
      engineConfig(),
    ]) {
      expect(findings(config)).to.deep.equal([]);
      expect(validateConfig(bundleOf(JSON.stringify(config, null, 2)))).to.deep.equal({ warnings: [] });
    }
  });

  it('throws the first error with its pointer and hint', () => {
    const text = JSON.stringify(spoilt('process.terminal', 'true'), null, 2);
    expect(() => validateConfig(bundleOf(text)))
      .to.throw(TsrunError, /^expected true or false, found a string$/)
      .and.include({ code: 'config', pointer: '/process/terminal', hint: 'Write true without quotes.' });
  });

  it('returns the warnings', () => {
    const { warnings } = validateConfig(bundleOf(JSON.stringify(spoilt('root.readOnly', true))));
    expect(warnings).to.deep.equal([
      {
        severity: 'warning',
        pointer: '/root/readOnly',
        reason: 'unknown property, ignored; did you mean "readonly"?',
      },
    ]);
  });

  it('takes known properties that are null for absent ones', () => {
    const config = goodConfig();
    const nulls = { ...config, hooks: null, hostname: null, mounts: [{ destination: '/a', options: null }] };
    const bundle = bundleOf(JSON.stringify(nulls));
    const found = findingsOf(bundle);
    expect(found.map(({ pointer }) => pointer)).to.deep.equal(['/mounts/0/type']);
    expect(bundle.config).to.not.have.any.keys('hooks', 'hostname');
    expect(findings({ ...config, root: null })).to.include('error /root: required property is missing');
    expect(findings(spoilt('annotations', { a: null }))).to.deep.equal([
      'error /annotations/a: expected a string, found null',
    ]);
  });

  it('is not fooled by the names of an object prototype', () => {
    const text = JSON.stringify(goodConfig()).replace(
      '{',
      '{"__proto__":{"hostname":1,"process":7},"constructor":{"name":"x"},"toString":1,',
    );
    expect(findings(text)).to.deep.equal([
      'warning /__proto__: unknown property, ignored',
      'warning /constructor: unknown property, ignored',
      'warning /toString: unknown property, ignored',
    ]);
    expect(findings('{"__proto__":{"ociVersion":"1.0.0"}}')).to.include(
      'error /ociVersion: required property is missing',
    );
  });

  it('warns of properties given twice, wherever colons and backslashes are', () => {
    const twice = JSON.stringify(goodConfig()).replace('"hostname"', '"hostname":"first","hostname"');
    const reason = 'this property is given twice; the last one counts';
    expect(findings(twice)).to.deep.equal([`warning /hostname: ${reason}`]);
    const odd = spoilt('annotations', { 'a\\': ': "x":', ':b"': '{"c":1}', c: ':' });
    expect(findings(odd)).to.deep.equal([]);
    const both = JSON.stringify(odd).replace('"hostname"', '"hostname":"first","hostname"');
    expect(findings(both)).to.deep.equal([`warning /hostname: ${reason}`]);
  });

  it('stops reporting unknown properties when nobody would read on', () => {
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`x${i}`, 1]));
    const found = findings({ ...goodConfig(), ...many });
    expect(found).to.have.length(50);
    expect(found.at(-1)).to.equal('warning /x49: unknown property, ignored; there are more');
  });

  it('finds depth an error', () => {
    const text = `{"ociVersion":"1.3.0","x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    expect(() => validateConfig(bundleOf(text))).to.throw(TsrunError, 'nested more than 256 levels deep');
  });

  it('collects all errors of the schema', () => {
    const config = spoilt('process.args', 'sh', spoilt('root', {}));
    expect(findings(config)).to.deep.equal([
      'error /root/path: required property is missing',
      'error /process/args: expected an array, found a string',
    ]);
  });

  it('ignores the sections of other systems', () => {
    const others = { windows: { network: 1 }, solaris: 1, vm: { kernel: {} }, zos: [], freebsd: {} };
    expect(findings({ ...goodConfig(), ...others })).to.deep.equal([]);
  });
});

describe('the schema', () => {
  const wrong: [path: string, value: unknown, finding: string][] = [
    ['ociVersion', 1.3, '/ociVersion: expected a string, found a number'],
    ['root.path', '', '/root/path: must not be empty'],
    ['root.readonly', 1, '/root/readonly: expected true or false, found a number'],
    ['mounts', {}, '/mounts: expected an array, found an object'],
    ['mounts', [{ type: 'tmpfs' }], '/mounts/0/destination: required property is missing'],
    ['mounts', ['/a'], '/mounts/0: expected an object, found a string'],
    ['process.args', ['sh', 1], '/process/args/1: expected a string, found a number'],
    ['process.cwd', undefined, '/process/cwd: required property is missing'],
    ['process.user', { uid: 4294967296 }, '/process/user/uid: must be an integer from 0 to 4294967295'],
    [
      'process.user',
      { uid: '0' },
      '/process/user/uid: expected an integer from 0 to 4294967295, found a string',
    ],
    ['process.user', { additionalGids: [1.5] }, '/process/user/additionalGids/0: must be an integer from 0'],
    ['process.consoleSize', { height: 1 }, '/process/consoleSize/width: required property is missing'],
    ['process.oomScoreAdj', 1001, '/process/oomScoreAdj: must be an integer from -1000 to 1000'],
    ['process.scheduler', { policy: 'SCHED_FOO' }, '/process/scheduler/policy: must be one of SCHED_OTHER'],
    [
      'process.ioPriority',
      { class: 'IOPRIO_CLASS_BE', priority: 8 },
      '/process/ioPriority/priority: must be',
    ],
    ['linux.namespaces', [{ type: 'net' }], '/linux/namespaces/0/type: must be one of pid, network, mount'],
    ['linux.namespaces', [{ type: 7 }], '/linux/namespaces/0/type: expected a string, found a number'],
    ['linux.uidMappings', [{ containerID: 0 }], '/linux/uidMappings/0/hostID: required property is missing'],
    ['linux.timeOffsets', { monotonic: { nanosecs: 1e9 } }, '/linux/timeOffsets/monotonic/nanosecs: must be'],
    ['linux.devices', [{ type: 'x', path: '/dev/x' }], '/linux/devices/0/type: must be one of c, b, u, p'],
    ['linux.rootfsPropagation', 'sharedd', '/linux/rootfsPropagation: must be one of shared, rshared'],
    ['linux.resources.memory', { swappiness: -1 }, '/linux/resources/memory/swappiness: must be an integer'],
    ['linux.resources.memory', { limit: -2 }, '/linux/resources/memory/limit: must be an integer from -1'],
    ['linux.resources.cpu', { idle: 2 }, '/linux/resources/cpu/idle: must be an integer from 0 to 1'],
    [
      'linux.resources.blockIO',
      { weight: 65536 },
      '/linux/resources/blockIO/weight: must be an integer from 0',
    ],
    ['linux.seccomp', {}, '/linux/seccomp/defaultAction: required property is missing'],
    [
      'linux.seccomp',
      { defaultAction: 'ALLOW' },
      '/linux/seccomp/defaultAction: must be one of SCMP_ACT_KILL',
    ],
    [
      'linux.seccomp',
      { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: [], action: 'SCMP_ACT_ALLOW' }] },
      '/linux/seccomp/syscalls/0/names: must not be empty',
    ],
    ['linux.personality', { domain: 'BSD' }, '/linux/personality/domain: must be one of LINUX, LINUX32'],
    ['hooks.poststop', [{ path: '/x', timeout: 0 }], '/hooks/poststop/0/timeout: must be an integer from 1'],
    ['annotations', { a: 1 }, '/annotations/a: expected a string, found a number'],
  ];
  for (const [path, value, finding] of wrong) {
    it(`refuses ${path} ${JSON.stringify(value)}`, () => {
      const found = findings(spoilt(path, value));
      expect(found.map((text) => text.slice(0, finding.length + 6))).to.include(`error ${finding}`);
    });
  }

  it('holds 64-bit integers to their exact range', () => {
    const config = JSON.stringify(spoilt('linux.resources.memory.limit', 7)).replace(
      '"limit":7',
      '"limit":VALUE',
    );
    const rlimit = JSON.stringify(goodConfig()).replace('"hard":1024', '"hard":VALUE');
    const swappiness = JSON.stringify(spoilt('linux.resources.memory.swappiness', 7)).replace(
      '"swappiness":7',
      '"swappiness":VALUE',
    );
    const cases: [string, string, boolean][] = [
      [swappiness, '18446744073709551614', false],
      [swappiness, '18446744073709551615', true],
      [swappiness, '18446744073709551616', false],
      [rlimit, '18446744073709551615', true],
      [rlimit, '18446744073709551616', false],
      [rlimit, '1.8446744073709551615e19', true],
      [rlimit, '1e19', true],
      [rlimit, '1e20', false],
      [rlimit, '1e400', false],
      [rlimit, '9007199254740993', true],
      [rlimit, '1024.0', true],
      [rlimit, '1024.5', false],
      [config, '9223372036854775807', true],
      [config, '9223372036854771712', true],
      [config, '9223372036854775808', false],
      [config, '-1', true],
      [config, '-0', true],
      [config, '-9223372036854775809', false],
    ];
    for (const [text, value, valid] of cases) {
      const found = findings(text.replace('VALUE', value));
      expect(found.length === 0, `${value}: ${found.join()}`).to.equal(valid);
    }
  });
});

describe('the rules', () => {
  const seccomp = (rest: object): object => ({ defaultAction: 'SCMP_ACT_ALLOW', ...rest });
  const withUserNamespace = (rest: object): object => ({
    ...goodConfig().linux,
    namespaces: [{ type: 'user' }, { type: 'mount' }, { type: 'uts' }],
    uidMappings: [{ containerID: 0, hostID: 1000, size: 10 }],
    gidMappings: [{ containerID: 0, hostID: 1000, size: 10 }],
    ...rest,
  });
  const mount = (rest: object): object[] => [
    { destination: '/x', source: '/y', options: ['rbind'], ...rest },
  ];
  const wrong: [path: string, value: unknown, ...findings: string[]][] = [
    ['ociVersion', 'latest', 'error /ociVersion: must be a version like 1.3.0'],
    ['ociVersion', '1.0', 'error /ociVersion: must be a version like 1.3.0'],
    [
      'ociVersion',
      '2.0.0',
      'error /ociVersion: tsrun implements version 1 of the runtime specification, not 2',
    ],
    [
      'ociVersion',
      '0.6.0',
      'error /ociVersion: tsrun implements version 1 of the runtime specification, not 0',
    ],
    [
      'ociVersion',
      '1.4.0-rc.1+dev',
      'warning /ociVersion: newer than 1.3.0: properties it added are ignored',
    ],
    ['ociVersion', '1.0.2-dev'],
    ['root', undefined, 'error /root: required property is missing'],
    ['process', undefined, 'error /process: required property is missing'],
    ['process.args', undefined, 'error /process/args: must name the command to run'],
    ['process.args', [], 'error /process/args: must name the command to run'],
    ['process.args', [''], 'error /process/args/0: the command is empty'],
    ['process.cwd', 'tmp', 'error /process/cwd: must be an absolute path'],
    [
      'process.env',
      ['A', 'B=', '=C', 'D=e=f'],
      'error /process/env/0: is not of the form NAME=value',
      'error /process/env/2: is not of the form NAME=value',
    ],
    ['process.user', { uid: 4294967295, gid: 0 }, 'error /process/user/uid: is no id; it means "unchanged"'],
    [
      'process.user',
      { uid: 0, gid: 0, additionalGids: [1, 4294967295] },
      'error /process/user/additionalGids/1: is no id; it means "unchanged"',
    ],
    [
      'process.user',
      { uid: 0, gid: 0, additionalGids: new Array(65_537).fill(1) },
      'error /process/user/additionalGids: must not be more than 65536',
    ],
    ['process.user', { gid: 5 }, 'warning /process/user/uid: required property is missing; 0 is used'],
    [
      'process.user',
      { uid: 0, gid: 0, umask: 512 },
      'warning /process/user/umask: only the permission bits (at most 511) are used',
    ],
    [
      'process.execCPUAffinity',
      { initial: '0-3,7', final: '3-1' },
      'error /process/execCPUAffinity/final: must be a list like 0-3,7',
    ],
    [
      'process.rlimits',
      [{ type: 'RLIMIT_NOFILES', soft: 1, hard: 1 }],
      'error /process/rlimits/0/type: no such resource limit',
    ],
    [
      'process.rlimits',
      [
        { type: 'RLIMIT_CPU', soft: 1, hard: 1 },
        { type: 'RLIMIT_CPU', soft: 1, hard: 1 },
      ],
      'error /process/rlimits/1/type: this limit is given twice',
    ],
    [
      'process.rlimits',
      [{ type: 'RLIMIT_CPU', soft: 2, hard: 1 }],
      'error /process/rlimits/0/soft: must not be above the hard limit (1)',
    ],
    [
      'process.capabilities',
      { bounding: ['CAP_KILL', 'CAP_SYS_ADMN', 'cap_kill'] },
      'warning /process/capabilities/bounding/1: no such capability, ignored',
      'warning /process/capabilities/bounding/2: no such capability, ignored',
    ],
    [
      'process.capabilities',
      {
        permitted: ['CAP_KILL'],
        inheritable: ['CAP_CHOWN'],
        ambient: ['CAP_KILL'],
        effective: ['CAP_CHOWN'],
      },
      'warning /process/capabilities/effective: CAP_CHOWN cannot be had without being in "permitted"',
      'warning /process/capabilities/ambient: CAP_KILL cannot be had without being in "inheritable"',
    ],
    ['process.capabilities', { permitted: ['CAP_KILL'], ambient: ['CAP_KILL'] }],
    [
      'process.scheduler',
      { policy: 'SCHED_OTHER', nice: 20 },
      'error /process/scheduler/nice: must be from -20 to 19',
    ],
    [
      'process.scheduler',
      { policy: 'SCHED_FIFO' },
      'error /process/scheduler/priority: must be from 1 to 99 for SCHED_FIFO',
    ],
    [
      'process.scheduler',
      { policy: 'SCHED_BATCH', priority: 1, runtime: 1 },
      'error /process/scheduler/priority: is only for SCHED_FIFO and SCHED_RR',
      'error /process/scheduler/runtime: is only for SCHED_DEADLINE',
    ],
    [
      'process.scheduler',
      { policy: 'SCHED_DEADLINE', runtime: 3, deadline: 2, period: 1 },
      'error /process/scheduler/runtime: must be at least 1024 nanoseconds for SCHED_DEADLINE',
      'error /process/scheduler/runtime: must not be above the deadline',
      'error /process/scheduler/deadline: must not be above the period',
    ],
    ['process.scheduler', { policy: 'SCHED_DEADLINE', runtime: 1024, deadline: 2048 }],
    [
      'process.scheduler',
      { policy: 'SCHED_ISO' },
      'error /process/scheduler/policy: Linux reserves this policy but does not implement it',
    ],
    [
      'process.scheduler',
      { policy: 'SCHED_IDLE', flags: ['SCHED_FLAG_RESET_ON_FORK', 'SCHED_FLAG_UTIL_CLAMP_MAX'] },
      'warning /process/scheduler/flags/1: there is no property for the value; the clamp is set to 0',
    ],
    [
      'process.ioPriority',
      { class: 'IOPRIO_CLASS_IDLE' },
      'warning /process/ioPriority/priority: required property is missing; 0 is used',
    ],
    [
      'process.execCPUAffinity',
      { initial: '0-3,8192', final: '8191' },
      'error /process/execCPUAffinity/initial: no CPU has a number above 8191',
    ],
    [
      'linux.namespaces',
      [{ type: 'mount' }, { type: 'uts' }, { type: 'mount', path: '/x' }],
      'error /linux/namespaces/2/type: this namespace is given twice',
    ],
    [
      'linux.namespaces',
      [{ type: 'mount' }, { type: 'uts', path: 'x' }],
      'error /linux/namespaces/1/path: must be an absolute path',
    ],
    [
      'linux.namespaces',
      [
        { type: 'mount', path: '' },
        { type: 'uts', path: '/x' },
      ],
    ],
    ['linux.namespaces', [{ type: 'mount' }], 'error /hostname: needs a namespace of type "uts"'],
    [
      'linux.namespaces',
      [{ type: 'uts' }],
      'warning /mounts: needs a namespace of type "mount"; nothing is mounted',
      'error /linux/maskedPaths: needs a namespace of type "mount"',
      'error /linux/readonlyPaths: needs a namespace of type "mount"',
    ],
    ['hostname', 'x'.repeat(65), 'error /hostname: must not be longer than 64 bytes'],
    ['domainname', 'é'.repeat(33), 'error /domainname: must not be longer than 64 bytes'],
    ['linux', withUserNamespace({})],
    [
      'linux',
      withUserNamespace({ uidMappings: undefined }),
      'error /linux/uidMappings: a new user namespace needs mappings',
    ],
    [
      'linux',
      withUserNamespace({ gidMappings: [{ containerID: 1, hostID: 1, size: 1 }] }),
      'error /linux/gidMappings: the id 0 of the container must be mapped',
    ],
    [
      'linux',
      withUserNamespace({ namespaces: [{ type: 'user', path: '/p' }, { type: 'mount' }, { type: 'uts' }] }),
      'warning /linux/uidMappings: the user namespace is joined by path and keeps the mappings it has',
      'warning /linux/gidMappings: the user namespace is joined by path and keeps the mappings it has',
    ],
    [
      'linux.uidMappings',
      [{ containerID: 0, hostID: 1, size: 1 }],
      'error /linux/uidMappings: needs a namespace of type "user"',
    ],
    [
      'linux',
      withUserNamespace({
        uidMappings: [
          { containerID: 0, hostID: 1000, size: 10 },
          { containerID: 9, hostID: 2000, size: 10 },
          { containerID: 30, hostID: 1009, size: 1 },
          { containerID: 50, hostID: 3000, size: 0 },
          { containerID: 60, hostID: 4294967295, size: 1 },
        ],
      }),
      'error /linux/uidMappings/1/containerID: the range overlaps the one that begins at 0',
      'error /linux/uidMappings/2/hostID: the range overlaps the one that begins at 1000',
      'error /linux/uidMappings/3/size: must not be 0',
      'error /linux/uidMappings/4/size: the range from hostID goes beyond the largest id, 4294967294',
    ],
    [
      'linux.timeOffsets',
      { monotonic: { secs: 1 } },
      'error /linux/timeOffsets: needs a namespace of type "time"',
    ],
    [
      'linux',
      {
        ...goodConfig().linux,
        namespaces: [{ type: 'mount' }, { type: 'uts' }, { type: 'time', path: '/p' }],
        timeOffsets: { realtime: {} },
      },
      'error /linux/timeOffsets: the offsets of a time namespace joined by path cannot be set',
      'error /linux/timeOffsets/realtime: the clocks with an offset are monotonic and boottime',
    ],
    [
      'linux.netDevices',
      {
        eth0: {},
        'a/b': {},
        eth1: { name: 'x'.repeat(16) },
        eth2: { name: 'eth0' },
        e3: { name: 'e%d' },
        e4: { name: 'e%d' },
        e5: { name: 'e%s' },
        e6: { name: 'e%d%d' },
        lo: {},
      },
      'error /linux/netDevices/a~1b: no network device can have this name',
      'error /linux/netDevices/eth1/name: no network device can have this name',
      'error /linux/netDevices/eth2: two devices would be called eth0 in the container',
      'error /linux/netDevices/e5/name: no network device can have this name',
      'error /linux/netDevices/e6/name: no network device can have this name',
      'error /linux/netDevices/lo: the loopback device cannot leave its namespace',
    ],
    [
      'mounts',
      mount({ destination: 'x' }),
      'warning /mounts/0/destination: should be an absolute path; it is taken as one from the root',
    ],
    [
      'mounts',
      mount({ destination: '/proc', type: 'tmpfs', options: [] }),
      'error /mounts/0/type: only a filesystem of type "proc" may be mounted on /proc',
    ],
    [
      'mounts',
      mount({ destination: '/proc/../x/../proc/./', type: 'tmpfs', options: [] }),
      'error /mounts/0/type: only a filesystem of type "proc" may be mounted on /proc',
    ],
    [
      'mounts',
      mount({ destination: '/proc/self' }),
      'error /mounts/0/destination: nothing may be mounted inside /proc but the few files other runtimes allow',
    ],
    // Those that runc allows, for lxcfs and its like.
    ...[
      ...['cpuinfo', 'diskstats', 'loadavg', 'meminfo', 'slabinfo', 'stat', 'swaps', 'uptime'],
      ...['sys/crypto/fips_enabled', 'sys/kernel/ns_last_pid'],
    ].map((name): [string, unknown] => ['mounts', mount({ destination: `/proc/${name}` })]),
    // Their neighbours, and ways around a name.
    ...['version', 'sys/kernel/core_pattern', 'sys', 'meminfo/x', 'meminf', 'sysrq-trigger'].map(
      (name): [string, unknown, string] => [
        'mounts',
        mount({ destination: `/proc/${name}` }),
        'error /mounts/0/destination: nothing may be mounted inside /proc but the few files other runtimes allow',
      ],
    ),
    ['mounts', mount({ destination: '/proc' })],
    [
      'mounts',
      mount({ type: 'bind', options: ['ro'] }),
      'error /mounts/0/options: a mount of type "bind" needs the option "bind"; it makes the bind mount, not the type',
    ],
    [
      'mounts',
      mount({ options: [] }),
      'error /mounts/0/type: a mount that is not a bind mount needs the type of its filesystem',
    ],
    [
      'mounts',
      mount({ options: ['rbind', 'readonly', 'size=5'] }),
      'error /mounts/0/options/1: is no option of a bind mount, and no filesystem is mounted here',
      'warning /mounts/0/options/2: is no option of a bind mount, and no filesystem is mounted here; ignored',
    ],
    ['mounts', mount({ source: undefined }), 'error /mounts/0/source: a bind mount needs a source'],
    [
      'mounts',
      mount({ options: ['rbind', 'src-nofollow', 'copy-symlink', 'dest-nofollow'] }),
      'error /mounts/0/options/1: cannot be had together with "copy-symlink"',
      'error /mounts/0/options/3: cannot be had together with "copy-symlink"',
    ],
    [
      'mounts',
      mount({ type: 'tmpfs', options: ['copy-symlink', 'ensure-directory', 'dest-nofollow'] }),
      'warning /mounts/0/options/0: is for bind mounts; ignored',
      'warning /mounts/0/options/1: is for bind mounts; ignored',
    ],
    [
      'mounts',
      mount({ options: ['rbind', 'ro', 'nosuid', 'suid', 'rw', 'nodev', 'noexec', 'rsuid', 'noatime'] }),
      'warning /mounts/0/options/3: contradicts "nosuid" before it, and wins',
      'warning /mounts/0/options/4: contradicts "ro" before it, and wins',
    ],
    [
      'mounts',
      mount({ uidMappings: [{ containerID: 0, hostID: 1, size: 1 }] }),
      'error /mounts/0/gidMappings: must be given along with uidMappings',
      'warning /mounts/0/options: should have "idmap" or "ridmap", for runtimes that know no mappings',
    ],
    [
      'mounts',
      mount({ options: ['rbind', 'ridmap'] }),
      'error /mounts/0/options: an idmapped mount needs uidMappings and gidMappings, or a user namespace',
    ],
    [
      'mounts',
      mount({ type: 'tmpfs', options: ['idmap=uids=0-1-1;gids=0-1-1'] }),
      'error /mounts/0/options: only bind mounts can have id mappings',
    ],
    ['linux.maskedPaths', ['/a', 'b'], 'error /linux/maskedPaths/1: must be an absolute path'],
    [
      'linux.maskedPaths',
      ['/', '//.'],
      'error /linux/maskedPaths/0: would hide the whole container',
      'error /linux/maskedPaths/1: would hide the whole container',
    ],
    ['linux.readonlyPaths', [''], 'error /linux/readonlyPaths/0: must be an absolute path'],
    [
      'linux.devices',
      [
        { type: 'c', path: '/dev/x', major: 1 },
        { type: 'p', path: 'dev/../x' },
        { type: 'p', path: '/dev/x', fileMode: 666 },
        { type: 'p', path: '/' },
        { type: 'p', path: '/./' },
      ],
      'error /linux/devices/0/minor: a device of type "c" needs it',
      'warning /linux/devices/1/path: should be an absolute path; it is taken as one from the root',
      'error /linux/devices/1/path: must not have ".." in it',
      'error /linux/devices/2/path: another device is given for this path, too',
      'warning /linux/devices/2/fileMode: is read as a decimal number',
      'error /linux/devices/3/path: must name a file, not a directory',
      'error /linux/devices/4/path: must name a file, not a directory',
    ],
    [
      'linux.devices',
      [
        { type: 'c', path: '/dev/x/', major: 1, minor: 3 },
        { type: 'u', path: '/dev//x', major: 1, minor: 3, fileMode: 0o666, uid: 0, gid: 0 },
        { type: 'c', path: '/dev/x', major: 1, minor: 3, uid: 7 },
        { type: 'b', path: '/dev/x', major: 1, minor: 3 },
        { type: 'c', path: '/dev/./x', major: 1, minor: 5 },
      ],
      'warning /linux/devices/2/path: this device is given twice; mode and owner of the first one count',
      'error /linux/devices/3/path: another device is given for this path, too',
      'error /linux/devices/4/path: another device is given for this path, too',
    ],
    [
      'hooks',
      { poststop: [{ path: 'x' }], other: [{ path: 'y' }] },
      'warning /hooks/other: unknown property, ignored',
      'error /hooks/poststop/0/path: must be an absolute path',
    ],
    ['process.cwd', `/${'é'.repeat(2048)}`, 'error /process/cwd: must not be longer than 4095 bytes'],
    ['process.cwd', `/${'e'.repeat(4094)}`],
    ['linux.cgroupsPath', '/a/../b', 'error /linux/cgroupsPath: must not have ".." in it'],
    [
      'linux.resources',
      {
        devices: [
          { allow: true },
          { allow: true, access: 'rx' },
          { allow: true, access: 'rwa' },
          { allow: true, access: 'a' },
        ],
      },
      'error /linux/resources/devices/0/access: must not be empty',
      'error /linux/resources/devices/1/access: may have only the letters r, w and m',
      'warning /linux/resources/devices/2/access: the letter a means nothing here and is left out',
      'error /linux/resources/devices/3/access: must have one of the letters r, w and m',
    ],
    [
      'linux.resources',
      { memory: { swappiness: 101 } },
      'error /linux/resources/memory/swappiness: must be a whole number from 0 to 100',
    ],
    ['linux.resources', { memory: { swappiness: 100 } }],
    ['linux.resources', { hugepageLimits: [{ pageSize: '1TB', limit: 1 }] }],
    // What is 0 is not set, and what is negative no limit.
    ['linux.resources', { memory: { limit: 200, swap: 0 }, cpu: { quota: 0, burst: 5 } }],
    ['linux.resources', { memory: { limit: 200, swap: -1 }, cpu: { quota: -1, burst: 5 } }],
    ['linux.resources', { memory: { limit: -1, swap: 100 } }],
    ['linux.resources', { memory: { limit: 200, swap: 200 }, cpu: { quota: 5, burst: 5 } }],
    [
      'linux.resources',
      { memory: { limit: 200, swap: 199 }, cpu: { quota: 5, burst: 6 } },
      'error /linux/resources/memory/swap: memory and swap together must not be below the memory limit (200)',
      'error /linux/resources/cpu/burst: must not be above the quota (5)',
    ],
    [
      'linux.devices',
      [
        { type: 'p', path: '/dev/x', uid: 4294967295 },
        { type: 'p', path: '/dev/y', gid: 4294967295 },
        { type: 'p', path: '/dev/z', uid: 4294967294, gid: 4294967294 },
      ],
      'error /linux/devices/0/uid: is no id; it means "unchanged"',
      'error /linux/devices/1/gid: is no id; it means "unchanged"',
    ],
    ['hostname', 'h'.repeat(64)],
    ['hostname', 'h'.repeat(65), 'error /hostname: must not be longer than 64 bytes'],
    ['hostname', 'é'.repeat(32)],
    ['hostname', 'é'.repeat(33), 'error /hostname: must not be longer than 64 bytes'],
    ['domainname', 'd'.repeat(64)],
    ['domainname', 'd'.repeat(65), 'error /domainname: must not be longer than 64 bytes'],
    [
      'linux.resources',
      { memory: { limit: 200, swap: 100 }, cpu: { quota: 5, burst: 6, cpus: '0-', mems: 'x' } },
      'error /linux/resources/memory/swap: memory and swap together must not be below the memory limit (200)',
      'error /linux/resources/cpu/burst: must not be above the quota (5)',
      'error /linux/resources/cpu/mems: must be a list like 0-3,7',
    ],
    [
      'linux.resources',
      {
        blockIO: { weightDevice: [{ major: 8, minor: 0 }] },
        rdma: { mlx: {} },
        hugepageLimits: [{ pageSize: '2M', limit: 1 }],
        network: { priorities: [{ name: 'a b', priority: 1 }] },
        unified: { 'a/b.c': '', memory: '', 'memory.max': '1' },
      },
      'error /linux/resources/blockIO/weightDevice/0: needs weight or leafWeight',
      'error /linux/resources/hugepageLimits/0/pageSize: must be a size like 64KB, 2MB or 1GB',
      'error /linux/resources/network/priorities/0/name: is not the name of a network interface',
      'error /linux/resources/rdma/mlx: needs hcaHandles or hcaObjects',
      'error /linux/resources/unified/a~1b.c: must be a file name (no slashes)',
      'error /linux/resources/unified/memory: must be in the form CONTROLLER.PARAMETER',
    ],
    [
      'linux.intelRdt',
      { closID: '..', l3CacheSchema: 'x', memBwSchema: 'y', schemata: ['a\nb'] },
      'error /linux/intelRdt/closID: must be the name of a directory, or /',
      'warning /linux/intelRdt/l3CacheSchema: should begin with L3:',
      'error /linux/intelRdt/memBwSchema: must begin with MB:',
      'error /linux/intelRdt/schemata/0: must be one line',
    ],
    ['linux.intelRdt', { closID: '/' }],
    [
      'linux.memoryPolicy',
      { mode: 'MPOL_BIND' },
      'error /linux/memoryPolicy/nodes: MPOL_BIND needs at least one node',
    ],
    [
      'linux.memoryPolicy',
      { mode: 'MPOL_LOCAL', nodes: '0' },
      'error /linux/memoryPolicy/nodes: must be empty for MPOL_LOCAL',
    ],
    [
      'linux.memoryPolicy',
      { mode: 'MPOL_PREFERRED', nodes: 'a', flags: ['MPOL_F_STATIC_NODES', 'MPOL_F_RELATIVE_NODES'] },
      'error /linux/memoryPolicy/nodes: must be a list like 0-3,7',
      'error /linux/memoryPolicy/flags: nodes are either static or relative',
    ],
    [
      'linux.memoryPolicy',
      { mode: 'MPOL_INTERLEAVE', nodes: '0,1024', flags: ['MPOL_F_NUMA_BALANCING'] },
      'error /linux/memoryPolicy/nodes: no node has a number above 1023',
      'error /linux/memoryPolicy/flags: MPOL_F_NUMA_BALANCING is for MPOL_BIND and MPOL_PREFERRED_MANY',
    ],
    [
      'linux.seccomp',
      { defaultAction: 'SCMP_ACT_ALLOW', flags: ['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'] },
      'warning /linux/seccomp/flags/0: has no effect without SCMP_ACT_NOTIFY',
    ],
    [
      'linux.personality',
      { domain: 'LINUX', flags: ['X'] },
      'error /linux/personality/flags: no flags are supported',
    ],
    [
      'linux.sysctl',
      { 'kernel.msgmax': '1', 'net/ipv4/conf/eth0.1/rp_filter': '1', 'fs.mqueue.msg_max': '1' },
    ],
    [
      'linux.sysctl',
      { 'kernel.panic': '1', 'kernel.hostname': 'x', 'user.max_pid_namespaces': '1' },
      'error /linux/sysctl/kernel.panic: is a parameter of the whole host, not of a namespace',
      'error /linux/sysctl/kernel.hostname: the name of the container is set by the property "hostname"',
      'error /linux/sysctl/user.max_pid_namespaces: needs a namespace of type "user"; without it this would change the host',
    ],
    [
      'linux.sysctl',
      {
        'net/../kernel/panic': '1',
        'net//x': '1',
        '': '1',
        'net.a b': '1',
        '/net/x': '1',
        'net.ipv4...x': '1',
        'net.//.x': '1',
      },
      ...['net~1..~1kernel~1panic', 'net~1~1x', '', 'net.a b', '~1net~1x', 'net.ipv4...x', 'net.~1~1.x'].map(
        (name) => `error /linux/sysctl/${name}: is not the name of a kernel parameter`,
      ),
    ],
    [
      'linux',
      {
        ...goodConfig().linux,
        namespaces: [{ type: 'mount' }, { type: 'uts' }],
        sysctl: { 'net.core.somaxconn': '1', 'kernel.sem': '1', 'kernel.domainname': 'x' },
      },
      'error /linux/sysctl/net.core.somaxconn: needs a namespace of type "network"; without it this would change the host',
      'error /linux/sysctl/kernel.sem: needs a namespace of type "ipc"; without it this would change the host',
    ],
    [
      'linux.seccomp',
      seccomp({ defaultErrnoRet: 1 }),
      'error /linux/seccomp/defaultErrnoRet: the action SCMP_ACT_ALLOW has no errno',
    ],
    [
      'linux.seccomp',
      seccomp({ syscalls: [{ names: ['a'], action: 'SCMP_ACT_ERRNO', errnoRet: 4096 }] }),
      'error /linux/seccomp/syscalls/0/errnoRet: must not be above 4095',
    ],
    [
      'linux.seccomp',
      seccomp({ syscalls: [{ names: ['read', 'write'], action: 'SCMP_ACT_NOTIFY' }] }),
      'error /linux/seccomp/syscalls/0/action: needs listenerPath',
      'error /linux/seccomp/syscalls/0/names/1: SCMP_ACT_NOTIFY cannot be used for write(2)',
    ],
    [
      'linux.seccomp',
      { defaultAction: 'SCMP_ACT_NOTIFY', listenerMetadata: 'x' },
      'error /linux/seccomp/defaultAction: an agent cannot decide every system call',
      'error /linux/seccomp/listenerMetadata: needs listenerPath',
    ],
    ['annotations', { '': 'x' }, 'error /annotations/: the key must not be empty'],
    ['process.args', ['sh', 'a\0b'], 'error /process/args/1: must not contain a NUL'],
    [
      'linux.sysctl',
      { 'net.x\0': '1' },
      'error /linux/sysctl/net.x\0: the name must not contain a NUL',
      'error /linux/sysctl/net.x\0: is not the name of a kernel parameter',
    ],
    ['annotations', { a: '\0' }],
  ];
  for (const [path, value, ...expected] of wrong) {
    const title = JSON.stringify(value) as string | undefined;
    it(`know ${path} ${(title ?? 'absent').slice(0, 80)}`, () => {
      const found = findings(spoilt(path, value));
      expect(found.toSorted()).to.deep.equal(expected.toSorted());
    });
  }

  it('want the user to be mapped', () => {
    const config = spoilt('linux', withUserNamespace({}), spoilt('process.user', { uid: 10, gid: 9 }));
    expect(findings(config)).to.deep.equal(['error /process/user/uid: is not mapped by /linux/uidMappings']);
  });
});
