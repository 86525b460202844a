import { expect } from 'chai';
import { bundleOf, findingsOf, goodConfig } from '../testing/fixtures.ts';
import type { Config, Linux, Mount, Process, Resources } from '../types.ts';

/** What is said of the good config with changes, as `severity pointer: reason`. */
function said(change: object): string[] {
  const findings = findingsOf(bundleOf(JSON.stringify({ ...goodConfig(), ...change })));
  return findings.map(({ severity, pointer, reason }) => `${severity} ${pointer}: ${reason}`);
}

const linux = (given: Partial<Linux>): Partial<Config> => ({ linux: { ...goodConfig().linux, ...given } });
const processSpec = (given: Partial<Process>): Partial<Config> => ({
  process: { cwd: '/', args: ['sh'], user: { uid: 0, gid: 0 }, ...given },
});
const resources = (given: Resources): Partial<Config> => linux({ resources: given });
const mount = (given: Partial<Mount>): Partial<Config> => ({
  mounts: [{ destination: '/x', source: '/y', options: ['rbind'], ...given }],
});
const userNamespace = (given: Partial<Linux>): Partial<Config> =>
  linux({
    namespaces: [{ type: 'user' }, { type: 'mount' }, { type: 'uts' }],
    uidMappings: [{ containerID: 0, hostID: 1000, size: 10 }],
    gidMappings: [{ containerID: 0, hostID: 1000, size: 10 }],
    ...given,
  });
/** The type is not checked: the schema is what would refuse it. */
const untyped = (value: object): never => value as never;

describe('the rules, at their bounds', () => {
  const cases: [what: string, change: object, ...findings: string[]][] = [
    ['a name of 64 bytes', { hostname: 'x'.repeat(64), domainname: 'é'.repeat(32) }],
    ['a name of 65', { domainname: 'x'.repeat(65) }, 'error /domainname: must not be longer than 64 bytes'],
    ['no names', { hostname: '', domainname: '', ...linux({ namespaces: [{ type: 'mount' }] }) }],
    [
      'a domain name without a namespace',
      { hostname: '', domainname: 'a', ...linux({ namespaces: [{ type: 'mount' }] }) },
      'error /domainname: needs a namespace of type "uts"',
    ],
    ['a swap that is the limit', resources({ memory: { limit: 200, swap: 200 } })],
    ['a swap without a limit', resources({ memory: { swap: 1 } })],
    ['a limit that is none', resources({ memory: { limit: -1, swap: 100 } })],
    ['a swap that is none', resources({ memory: { limit: 100, swap: -1 } })],
    ['a burst that is the quota', resources({ cpu: { quota: 5, burst: 5 } })],
    ['a burst without a quota', resources({ cpu: { burst: 5 } })],
    ['a quota that is none', resources({ cpu: { quota: -1, burst: 5 } })],
    ['a quota that is not set', resources({ cpu: { quota: 0, burst: 5 } })],
    ['CPUs of every notation', resources({ cpu: { cpus: '0-7:2/4, 8\n', mems: 'all' } })],
    ['CPUs that are empty', resources({ cpu: { cpus: '', mems: '' } })],
    [
      'CPUs with more around a list',
      resources({ cpu: { cpus: 'xall', mems: '0x' } }),
      'error /linux/resources/cpu/cpus: must be a list like 0-3,7',
      'error /linux/resources/cpu/mems: must be a list like 0-3,7',
    ],
    [
      'CPUs with more after all',
      resources({ cpu: { cpus: 'all,0' } }),
      'error /linux/resources/cpu/cpus: must be a list like 0-3,7',
    ],
    ['device access', resources({ devices: [{ allow: true, access: 'mwr' }] })],
    [
      'device access with other letters before and after',
      resources({
        devices: [
          { allow: true, access: 'xr' },
          { allow: true, access: 'rx' },
        ],
      }),
      'error /linux/resources/devices/0/access: may have only the letters r, w and m',
      'error /linux/resources/devices/1/access: may have only the letters r, w and m',
    ],
    [
      'one weight of either kind',
      resources({
        blockIO: {
          weightDevice: [
            { major: 8, minor: 0, weight: 10 },
            { major: 8, minor: 1, leafWeight: 10 },
          ],
        },
      }),
    ],
    [
      'huge pages of every size',
      resources({
        hugepageLimits: ['64KB', '2MB', '1GB', '16GB'].map((pageSize) => ({ pageSize, limit: 1 })),
      }),
    ],
    [
      'huge pages of no size',
      resources({
        hugepageLimits: ['0KB', '02MB', '2MBx', 'x2MB', '2B', 'MB'].map((pageSize) => ({
          pageSize,
          limit: 1,
        })),
      }),
      ...[0, 1, 2, 3, 4, 5].map(
        (i) => `error /linux/resources/hugepageLimits/${i}/pageSize: must be a size like 64KB, 2MB or 1GB`,
      ),
    ],
    ['an interface', resources({ network: { priorities: [{ name: 'eth0:1', priority: 1 }] } })],
    [
      'no interfaces',
      resources({ network: { priorities: ['a b', 'a/b', '', ' a'].map((name) => ({ name, priority: 1 })) } }),
      ...[0, 1, 2, 3].map(
        (i) => `error /linux/resources/network/priorities/${i}/name: is not the name of a network interface`,
      ),
    ],
    ['RDMA limits of either kind', resources({ rdma: { a: { hcaHandles: 1 }, b: { hcaObjects: 1 } } })],
    [
      'RDMA devices without names',
      resources({ rdma: { 'a b': { hcaHandles: 1 }, 'a/b': { hcaHandles: 1 }, '': { hcaHandles: 1 } } }),
      ...['a b', 'a~1b', ''].map(
        (name) => `error /linux/resources/rdma/${name}: is not the name of an RDMA device`,
      ),
    ],
    ['files of cgroups', resources({ unified: { 'memory.max': '1', 'cgroup.x.y': '1' } })],
    [
      'no files of cgroups',
      resources({ unified: { '.max': '1', 'memory.': '1', 'memory..x': '1', 'a/b': '1' } }),
      ...['.max', 'memory.'].map(
        (name) => `error /linux/resources/unified/${name}: must be in the form CONTROLLER.PARAMETER`,
      ),
      'error /linux/resources/unified/a~1b: must be a file name (no slashes)',
    ],
    ['a cgroup with two dots in its name', linux({ cgroupsPath: '/a..b/..c/d..' })],
    [
      'a cgroup that is the parent',
      linux({ cgroupsPath: '..' }),
      'error /linux/cgroupsPath: must not have ".." in it',
    ],

    [
      'a soft limit that is the hard one',
      processSpec({ rlimits: [{ type: 'RLIMIT_CPU', soft: 5, hard: 5 }] }),
    ],
    [
      'capabilities in all the sets they need',
      processSpec({
        capabilities: {
          permitted: ['CAP_KILL'],
          effective: ['CAP_KILL'],
          inheritable: ['CAP_KILL'],
          ambient: ['CAP_KILL'],
          bounding: ['CAP_CHOWN'],
        },
      }),
    ],
    [
      'capabilities that are ambient only',
      processSpec({ capabilities: { ambient: ['CAP_KILL', 'CAP_CHOWN'] } }),
      'warning /process/capabilities/ambient: CAP_KILL, CAP_CHOWN cannot be had without being in "permitted"',
    ],
    [
      'the ids before the one that is none',
      processSpec({ user: { uid: 4294967294, gid: 4294967294, additionalGids: [4294967294] } }),
    ],
    [
      'a group that is no id',
      processSpec({ user: { uid: 0, gid: 4294967295 } }),
      'error /process/user/gid: is no id; it means "unchanged"',
    ],
    [
      'as many groups as there can be',
      processSpec({ user: { uid: 0, gid: 0, additionalGids: Array<number>(65_536).fill(1) } }),
    ],
    [
      'no gid',
      processSpec({ user: { uid: 5 } }),
      'warning /process/user/gid: required property is missing; 0 is used',
    ],
    ['a umask of all permissions', processSpec({ user: { uid: 0, gid: 0, umask: 0o777 } })],
    ['an empty value', processSpec({ env: ['A=', 'B==', 'C=\n'] })],
    ['CPUs to execute on', processSpec({ execCPUAffinity: { initial: '', final: '8191' } })],
    ['a nice value of either end', processSpec({ scheduler: { policy: 'SCHED_OTHER', nice: 19 } })],
    ['a nice value of the other end', processSpec({ scheduler: { policy: 'SCHED_BATCH', nice: -20 } })],
    [
      'a nice value beyond the other end',
      processSpec({ scheduler: { policy: 'SCHED_BATCH', nice: -21 } }),
      'error /process/scheduler/nice: must be from -20 to 19',
    ],
    [
      'a nice value of a policy that has none',
      processSpec({ scheduler: { policy: 'SCHED_FIFO', priority: 1, nice: 5 } }),
      'warning /process/scheduler/nice: has no effect with SCHED_FIFO',
    ],
    [
      'a file of cgroups without a value',
      resources({ unified: { 'memory.high': '' } }),
      'warning /linux/resources/unified/memory.high: is empty: nothing is written',
    ],
    [
      'an option of a filesystem on a bind mount',
      mount({ options: ['rbind', 'sync'] }),
      'warning /mounts/0/options/1: is no option of a bind mount, and no filesystem is mounted here; ignored',
    ],
    [
      'tmpcopyup on a bind mount',
      mount({ options: ['rbind', 'tmpcopyup'] }),
      'warning /mounts/0/options/1: is for tmpfs only; ignored',
    ],
    ['a nice value nobody looks at', processSpec({ scheduler: { policy: 'SCHED_IDLE', nice: 20 } })],
    ['a low priority', processSpec({ scheduler: { policy: 'SCHED_FIFO', priority: 1 } })],
    ['a high priority', processSpec({ scheduler: { policy: 'SCHED_RR', priority: 99 } })],
    [
      'a priority too high',
      processSpec({ scheduler: { policy: 'SCHED_RR', priority: 100 } }),
      'error /process/scheduler/priority: must be from 1 to 99 for SCHED_RR',
    ],
    [
      'times of another policy',
      processSpec({ scheduler: { policy: 'SCHED_OTHER', deadline: 1, period: 1, runtime: 0 } }),
      'error /process/scheduler/deadline: is only for SCHED_DEADLINE',
      'error /process/scheduler/period: is only for SCHED_DEADLINE',
    ],
    [
      'times that are all the same',
      processSpec({ scheduler: { policy: 'SCHED_DEADLINE', runtime: 1024, deadline: 1024, period: 1024 } }),
    ],
    [
      'a runtime too short',
      processSpec({ scheduler: { policy: 'SCHED_DEADLINE', runtime: 1023, deadline: 1024 } }),
      'error /process/scheduler/runtime: must be at least 1024 nanoseconds for SCHED_DEADLINE',
    ],
    ['a priority of I/O', processSpec({ ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 0 } })],

    [
      'the last node',
      linux({ memoryPolicy: { mode: 'MPOL_BIND', nodes: '1023', flags: ['MPOL_F_NUMA_BALANCING'] } }),
    ],
    [
      'many preferred nodes',
      linux({ memoryPolicy: { mode: 'MPOL_PREFERRED_MANY', nodes: '0', flags: ['MPOL_F_NUMA_BALANCING'] } }),
    ],
    ['policies without nodes', linux({ memoryPolicy: { mode: 'MPOL_PREFERRED' } })],
    ['the default policy', linux({ memoryPolicy: { mode: 'MPOL_DEFAULT', nodes: '' } })],
    ['the local policy', linux({ memoryPolicy: { mode: 'MPOL_LOCAL', flags: ['MPOL_F_STATIC_NODES'] } })],
    [
      'the default policy with nodes',
      linux({ memoryPolicy: { mode: 'MPOL_DEFAULT', nodes: '1', flags: ['MPOL_F_RELATIVE_NODES'] } }),
      'error /linux/memoryPolicy/nodes: must be empty for MPOL_DEFAULT',
    ],
    ['no flags of personality', linux({ personality: { domain: 'LINUX', flags: [] } })],

    ['ids up to the last', userNamespace({ uidMappings: [{ containerID: 0, hostID: 4294967294, size: 1 }] })],
    [
      'ids beyond the last in the container',
      userNamespace({
        uidMappings: [
          { containerID: 0, hostID: 0, size: 1 },
          { containerID: 4294967290, hostID: 100, size: 6 },
        ],
      }),
      'error /linux/uidMappings/1/size: the range from containerID goes beyond the largest id, 4294967294',
    ],
    [
      'ranges side by side',
      userNamespace({
        gidMappings: [
          { containerID: 5, hostID: 10, size: 5 },
          { containerID: 0, hostID: 15, size: 5 },
          { containerID: 10, hostID: 5, size: 5 },
        ],
      }),
    ],
    [
      'a range around another',
      userNamespace({
        gidMappings: [
          { containerID: 0, hostID: 0, size: 1 },
          { containerID: 5, hostID: 50, size: 1 },
          { containerID: 4, hostID: 100, size: 3 },
        ],
      }),
      'error /linux/gidMappings/2/containerID: the range overlaps the one that begins at 5',
    ],
    [
      'as many ranges as the kernel takes',
      userNamespace({
        uidMappings: Array.from({ length: 340 }, (_, i) => ({ containerID: i, hostID: i, size: 1 })),
      }),
    ],
    [
      'one more range, of a mount',
      mount({
        options: ['rbind', 'idmap'],
        uidMappings: Array.from({ length: 341 }, (_, i) => ({ containerID: i, hostID: i, size: 1 })),
        gidMappings: [{ containerID: 0, hostID: 0, size: 0 }],
      }),
      'error /mounts/0/uidMappings: the kernel takes at most 340 mappings',
      'error /mounts/0/gidMappings/0/size: must not be 0',
    ],
    ['the last id that is mapped', { ...userNamespace({}), ...processSpec({ user: { uid: 9, gid: 9 } }) }],
    [
      'a gid that is not mapped',
      { ...userNamespace({}), ...processSpec({ user: { uid: 9, gid: 10 } }) },
      'error /process/user/gid: is not mapped by /linux/gidMappings',
    ],

    [
      'paths of namespaces',
      linux({ namespaces: [{ type: 'mount' }, { type: 'uts' }, { type: 'pid', path: '/p' }] }),
    ],
    [
      'a propagation without a mount namespace',
      {
        ...linux({
          namespaces: [{ type: 'uts' }],
          rootfsPropagation: 'slave',
          maskedPaths: [],
          readonlyPaths: [],
        }),
        mounts: [],
        root: { path: 'r', readonly: false },
      },
      'warning /linux/rootfsPropagation: needs a namespace of type "mount"; ignored',
    ],
    [
      'devices of the network without a namespace',
      linux({ namespaces: [{ type: 'mount' }, { type: 'uts' }], netDevices: { eth0: {} } }),
      'error /linux/netDevices: needs a namespace of type "network"',
    ],
    [
      'names of 15 bytes',
      linux({
        namespaces: [{ type: 'mount' }, { type: 'uts' }, { type: 'network' }],
        netDevices: { ['x'.repeat(15)]: { name: `${'y'.repeat(13)}%d` } },
      }),
    ],
    [
      'names the kernel does not take',
      linux({
        namespaces: [{ type: 'mount' }, { type: 'uts' }, { type: 'network' }],
        netDevices: {
          '.': {},
          '..': {},
          'a:b': {},
          ['x'.repeat(16)]: {},
          a: { name: '' },
          b: { name: `${'y'.repeat(14)}%d` },
        },
      }),
      ...['.', '..', 'a:b', 'x'.repeat(16), 'b/name'].map(
        (name) => `error /linux/netDevices/${name}: no network device can have this name`,
      ),
    ],

    ['a path as long as there can be', { ...processSpec({ cwd: `/${'x'.repeat(4094)}` }) }],
    ...[
      ['root', { root: { path: `/${'x'.repeat(4095)}` } }, '/root/path'],
      ['destinations', mount({ destination: `/${'x'.repeat(4095)}` }), '/mounts/0/destination'],
      ['sources', mount({ source: `/${'x'.repeat(4095)}` }), '/mounts/0/source'],
      ['hooks', { hooks: { poststart: [{ path: `/${'x'.repeat(4095)}` }] } }, '/hooks/poststart/0/path'],
      ['masks', linux({ maskedPaths: [`/${'x'.repeat(4095)}`] }), '/linux/maskedPaths/0'],
      ['read-only paths', linux({ readonlyPaths: [`/${'x'.repeat(4095)}`] }), '/linux/readonlyPaths/0'],
      ['devices', linux({ devices: [{ type: 'p', path: `/${'x'.repeat(4095)}` }] }), '/linux/devices/0/path'],
      ['cgroups', linux({ cgroupsPath: `/${'x'.repeat(4095)}` }), '/linux/cgroupsPath'],
      [
        'namespaces',
        linux({ namespaces: [{ type: 'mount' }, { type: 'uts', path: `/${'x'.repeat(4095)}` }] }),
        '/linux/namespaces/1/path',
      ],
      [
        'agents',
        linux({ seccomp: { defaultAction: 'SCMP_ACT_ALLOW', listenerPath: `/${'x'.repeat(4095)}` } }),
        '/linux/seccomp/listenerPath',
      ],
    ].map(([what, change, pointer]): [string, object, string] => [
      `too long paths of ${what as string}`,
      change as object,
      `error ${pointer as string}: must not be longer than 4095 bytes`,
    ]),
    [
      'masks that hide everything, and those that do not',
      linux({ maskedPaths: ['/.', '/..', '/.a', '/a'] }),
      'error /linux/maskedPaths/0: would hide the whole container',
      'error /linux/maskedPaths/1: would hide the whole container',
    ],
    ['everything read-only', linux({ readonlyPaths: ['/'] })],
    [
      'devices without numbers',
      linux({
        devices: [
          { type: 'b', path: '/dev/x' },
          { type: 'c', path: '/dev/y', minor: 0 },
        ],
      }),
      'error /linux/devices/0/major: a device of type "b" needs it',
      'error /linux/devices/1/major: a device of type "c" needs it',
    ],
    [
      'a device with dots in its name',
      linux({ devices: [{ type: 'p', path: '/dev/..x', fileMode: 0o644 }] }),
    ],
    [
      'a device that is a directory',
      linux({ devices: [{ type: 'p', path: '//' }] }),
      'error /linux/devices/0/path: must name a file, not a directory',
    ],
    [
      'modes that were meant to be octal',
      linux({
        devices: [600, 620, 640, 644, 660, 664, 666, 700, 755, 777].map((fileMode, i) => ({
          type: 'p',
          path: `/dev/${i}`,
          fileMode,
        })),
      }),
      ...Array.from(
        { length: 10 },
        (_, i) => `warning /linux/devices/${i}/fileMode: is read as a decimal number`,
      ),
    ],

    [
      'files of /proc that may be replaced',
      {
        mounts: [
          'cpuinfo',
          'diskstats',
          'loadavg',
          'meminfo',
          'slabinfo',
          'stat',
          'swaps',
          'uptime',
          'sys/crypto/fips_enabled',
          'sys/kernel/ns_last_pid',
        ].map((name) => ({ destination: `/proc/${name}`, source: '/y', options: ['bind'] })),
      },
    ],
    ['a mount beside /proc', mount({ destination: '/procs/x' })],
    [
      'a change of what is in /proc',
      mount({ destination: '/proc/sys', options: ['remount', 'bind', 'ro'], source: '' }),
    ],
    ['a proc on /proc', mount({ destination: '/proc', type: 'proc', options: [] })],
    [
      'a mount of no type',
      mount({ type: 'none', options: ['ro'] }),
      'error /mounts/0/type: a mount that is not a bind mount needs the type of its filesystem',
    ],
    ['a bind mount of the type none', mount({ type: 'none', options: ['bind'] })],
    [
      'the type rbind',
      mount({ type: 'rbind', options: [] }),
      'error /mounts/0/options: a mount of type "rbind" needs the option "rbind"; it makes the bind mount, not the type',
    ],
    [
      'options that contradict each other',
      mount({
        type: 'tmpfs',
        options: [
          'nosuid',
          'rro',
          'rrw',
          'async',
          'sync',
          'rnodev',
          'rdev',
          'exec',
          'noexec',
          'rexec',
          'rnoexec',
          'size',
          'nosize',
        ].filter((option) => !option.endsWith('size')),
      }),
      'warning /mounts/0/options/2: contradicts "rro" before it, and wins',
      'warning /mounts/0/options/4: contradicts "async" before it, and wins',
      'warning /mounts/0/options/6: contradicts "rnodev" before it, and wins',
      'warning /mounts/0/options/8: contradicts "exec" before it, and wins',
      'warning /mounts/0/options/10: contradicts "rexec" before it, and wins',
    ],
    [
      'options of a filesystem that look like contradictions',
      mount({ type: 'tmpfs', options: ['size=1', 'x', 'nox'] }),
    ],
    [
      'gids alone',
      mount({ options: ['rbind', 'idmap'], gidMappings: [{ containerID: 0, hostID: 1, size: 1 }] }),
      'error /mounts/0/uidMappings: must be given along with gidMappings',
    ],
    [
      'mappings of a filesystem',
      mount({
        type: 'tmpfs',
        options: [],
        uidMappings: [{ containerID: 0, hostID: 1, size: 1 }],
        gidMappings: [{ containerID: 0, hostID: 1, size: 1 }],
      }),
      'error /mounts/0/uidMappings: only bind mounts can have id mappings',
      'warning /mounts/0/options: should have "idmap" or "ridmap", for runtimes that know no mappings',
    ],
    ['mappings in the option', mount({ options: ['rbind', 'idmap=uids=0-1-1;gids=0-1-1'] })],
    [
      'mappings of nobody',
      mount({ options: ['rbind', 'idmap='] }),
      'error /mounts/0/options: idmap=: needs both uids= and gids=',
    ],
    [
      'mappings in the option that the container lacks',
      { ...userNamespace({}), ...mount({ options: ['rbind', 'idmap=uids=@0-0-11;gids=@0-0-10'] }) },
      'error /mounts/0/options: idmap=uids=@0-0-11;gids=@0-0-10: ' +
        "the container's user namespace maps no range with ids 0 to 10",
    ],
    ['a copy of the image', mount({ type: 'tmpfs', options: ['tmpcopyup'] })],
    [
      'a copy of the image in what is no tmpfs',
      mount({ type: 'ramfs', options: ['ro', 'tmpcopyup'] }),
      'warning /mounts/0/options/1: is for tmpfs only; the ramfs is left empty',
    ],
    [
      'devices where /dev is bound',
      {
        ...mount({ destination: '/dev/', options: ['bind'] }),
        ...linux({ devices: [{ type: 'p', path: '/dev/x' }] }),
      },
      'warning /linux/devices: no device is made: /dev is a bind mount',
    ],
    [
      'hooks in sight of a joined pid namespace',
      {
        ...userNamespace({
          namespaces: [
            { type: 'user' },
            { type: 'mount' },
            { type: 'uts' },
            { type: 'pid', path: '/ns/pid' },
          ],
        }),
        hooks: { createContainer: [{ path: '/h' }] },
      },
      "error /hooks/createContainer: would be seen, with the host's files, by the processes of the pid namespace " +
        'that is joined, since the container makes a user namespace',
    ],
    ['mappings of the container', { ...userNamespace({}), ...mount({ options: ['rbind', 'idmap'] }) }],
    [
      'a source that is not followed',
      mount({ options: ['bind', 'src-nofollow', 'dest-nofollow', 'ensure-directory'] }),
    ],

    [
      'errnos up to the last',
      linux({
        seccomp: {
          defaultAction: 'SCMP_ACT_ERRNO',
          defaultErrnoRet: 4095,
          syscalls: [
            { names: ['a'], action: 'SCMP_ACT_TRACE', errnoRet: 65535 },
            { names: ['b'], action: 'SCMP_ACT_ALLOW' },
          ],
        },
      }),
    ],
    [
      'an errno too much',
      linux({
        seccomp: {
          defaultAction: 'SCMP_ACT_ALLOW',
          syscalls: [{ names: ['a'], action: 'SCMP_ACT_TRACE', errnoRet: 65536 }],
        },
      }),
      'error /linux/seccomp/syscalls/0/errnoRet: must not be above 65535',
    ],
    [
      'a filter that notifies',
      linux({
        seccomp: {
          defaultAction: 'SCMP_ACT_ALLOW',
          listenerPath: '/a',
          listenerMetadata: 'x',
          flags: ['SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'],
          syscalls: [
            { names: ['write'], action: 'SCMP_ACT_ERRNO' },
            { names: ['mkdir'], action: 'SCMP_ACT_NOTIFY' },
          ],
        },
      }),
    ],
    [
      'a flag in vain, in its place',
      linux({
        seccomp: {
          defaultAction: 'SCMP_ACT_ALLOW',
          flags: ['SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'],
          syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_ERRNO' }],
        },
      }),
      'warning /linux/seccomp/flags/1: has no effect without SCMP_ACT_NOTIFY',
    ],

    [
      'a directory of resctrl',
      linux({
        intelRdt: { closID: 'a.b', l3CacheSchema: 'L3:0=f', memBwSchema: 'MB:0=20', schemata: ['L2:0=f'] },
      }),
    ],
    [
      'no directory of resctrl',
      linux({ intelRdt: { closID: 'a/b' } }),
      'error /linux/intelRdt/closID: must be the name of a directory, or /',
    ],
    [
      'the folder itself',
      linux({ intelRdt: { closID: '.' } }),
      'error /linux/intelRdt/closID: must be the name of a directory, or /',
    ],
    [
      'lines of resctrl that are two',
      linux({ intelRdt: { closID: 'a', l3CacheSchema: 'L3:\n', memBwSchema: 'MB:\n' } }),
      'error /linux/intelRdt/l3CacheSchema: must be one line',
      'error /linux/intelRdt/memBwSchema: must be one line',
    ],

    ...['1.0.0', '1.3.99', '1.0.0-rc5', '1.0.2+dev.1'].map((ociVersion): [string, object] => [
      `version ${ociVersion}`,
      { ociVersion },
    ]),
    ...['v1.0.0', '1.0.0.', '01.0.0', '1.00.0', '1.0.0-', '1.0.0+', '1..0', ' 1.0.0'].map(
      (ociVersion): [string, object, string] => [
        `version ${JSON.stringify(ociVersion)}`,
        { ociVersion },
        'error /ociVersion: must be a version like 1.3.0',
      ],
    ),
    [
      'hooks of all kinds',
      { hooks: { prestart: [{ path: '/a' }], poststop: [{ path: '/b', args: ['b'] }] } },
    ],
    ...['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'].map(
      (kind): [string, object, string] => [
        `a relative hook ${kind}`,
        { hooks: { [kind]: [{ path: 'a' }] } },
        `error /hooks/${kind}/0/path: must be an absolute path`,
      ],
    ),
    [
      'a clock',
      linux(
        untyped({
          namespaces: [{ type: 'mount' }, { type: 'uts' }, { type: 'time' }],
          timeOffsets: { boottime: { secs: 1 } },
        }),
      ),
    ],
    ['no clocks', linux({ timeOffsets: {} })],
  ];
  for (const [what, change, ...findings] of cases) {
    it(`know ${what}`, () => {
      expect(said(change).toSorted()).to.deep.equal(findings.toSorted());
    });
  }

  it('say nothing of a config with hardly anything in it', () => {
    const least = { ociVersion: '1.3.0', root: { path: 'r' }, process: { cwd: '/', args: ['sh'] } };
    const about = (change: object): number =>
      findingsOf(bundleOf(JSON.stringify({ ...least, ...change }))).length;
    expect(about({})).to.equal(0);
    expect(about({ linux: {} })).to.equal(0);
    expect(about({ linux: { resources: {}, seccomp: { defaultAction: 'SCMP_ACT_ALLOW' } } })).to.equal(0);
    expect(about({ mounts: [], hooks: {}, annotations: {} })).to.equal(0);
    const maps = { uidMappings: [{ containerID: 0, hostID: 0, size: 1 }] };
    const user = { ...maps, gidMappings: maps.uidMappings, namespaces: [{ type: 'user' }] };
    expect(about({ linux: user })).to.equal(0);
    expect(about({ linux: user, process: { ...least.process, user: { uid: 0, gid: 0 } } })).to.equal(0);
    // Without a root everything else is still looked at.
    expect(about({ root: undefined })).to.equal(1);
    expect(about({ process: undefined })).to.equal(1);
  });

  it('have hints where something is known', () => {
    const hints = (change: object): (string | undefined)[] =>
      findingsOf(bundleOf(JSON.stringify({ ...goodConfig(), ...change }))).map(({ hint }) => hint);
    expect(hints(processSpec({ args: [] }))).to.deep.equal(['For example ["sh"].']);
    expect(hints(processSpec({ rlimits: [{ type: 'RLIMIT_NOFILES', soft: 1, hard: 1 }] }))).to.deep.equal([
      'Did you mean "RLIMIT_NOFILE"?',
    ]);
    expect(hints(processSpec({ capabilities: { bounding: ['CAP_SYS_ADMN', 'x'] } }))).to.deep.equal([
      'Did you mean "CAP_SYS_ADMIN"?',
      undefined,
    ]);
    expect(hints(resources({ devices: [{ allow: true }] }))).to.deep.equal(['Give some of r, w and m.']);
    expect(hints(linux({ devices: [{ type: 'p', path: '/dev/x', fileMode: 644 }] }))).to.deep.equal([
      'Write 420 for 0644.',
    ]);
  });
});
