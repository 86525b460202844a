import { expect } from 'chai';
import { describeOp } from './describe-op.ts';
import {
  fullMap,
  mountOps,
  namespaceList,
  onlyOp,
  opsOf,
  planOf,
  rootFacts,
} from '../plan/testing/fixtures.ts';
import { type FieldType, type Op, wireOps } from '../plan/wire.ts';

/** An operation with nothing but neutral values. */
function blank(op: string, fields: Readonly<Record<string, FieldType>>): Op {
  const neutral = { u32: 0, i32: 0, u64: 0n, i64: 0n, str: '', bytes: new Uint8Array(), strs: [], u32s: [] };
  const values = Object.entries(fields).map(([name, type]) => [name, neutral[type]]);
  return { op, origin: '', ...(Object.fromEntries(values) as object) } as unknown as Op;
}

describe('describeOp', () => {
  it('has one line for every operation', () => {
    for (const [name, { fields }] of Object.entries(wireOps)) {
      const text = describeOp(blank(name, fields));
      expect(text, name).to.match(/^[^\n]{4,}$/);
    }
  });

  it('says what becomes of symbolic links', () => {
    const plan = planOf((config) => {
      config.mounts = [
        ['bind', 'copy-symlink'],
        ['bind', 'nodev', 'src-nofollow', 'dest-nofollow'],
      ].map((options) => ({ destination: '/x', source: '/y', options }));
    });
    expect(opsOf(plan, 'mountBind').map(describeOp)).to.deep.equal([
      'bind mount /y on /x (copy-symlink)',
      'bind mount /y on /x (nodev, src-nofollow, dest-nofollow)',
    ]);
  });

  it('says what a plan does', () => {
    const plan = planOf((config) => {
      config.linux = {
        ...config.linux,
        namespaces: [
          ...namespaceList('pid', 'mount', 'uts', 'cgroup', 'time'),
          { type: 'network', path: '/ns/n' },
        ],
        timeOffsets: { monotonic: { secs: 1 }, boottime: { secs: 2 } },
        rootfsPropagation: 'rshared',
      };
      config.hooks = { createContainer: [{ path: '/bin/h' }] };
    });
    const texts = plan.ops.map(describeOp);
    for (const text of [
      'open the network namespace /ns/n',
      'join the network namespace',
      "make the container's process in a new pid, mount, uts namespace",
      'make a new cgroup namespace',
      'make a new time namespace (monotonic 1 0, boottime 2 0)',
      'set the hostname to box',
      'make all mounts of the host rshared',
      'mount proc on /proc',
      'mount tmpfs on /dev (nosuid, strictatime, mode=755, size=65536k)',
      'mount sysfs on /sys (ro, nosuid, nodev, noexec)',
      'bind mount /srv/data on /data (nodev, rprivate)',
      'make the character device /dev/null (1:3, mode 0666)',
      'link /dev/ptmx to pts/ptmx',
      'run the hook /bin/h',
      'make /proc/sys read-only',
      'mask /proc/kcore',
      'make the rootfs / (pivot_root)',
      'make / read-only',
      'set RLIMIT_NOFILE to 1024 (hard limit 4096)',
      'limit the bounding set to CAP_KILL CAP_NET_BIND_SERVICE CAP_AUDIT_WRITE',
      'become uid 0, gid 0, umask 0022',
      'find the executable sh in /usr/bin:/bin',
      'execute sh',
    ]) {
      expect(texts).to.include(text);
    }
  });

  it('names attributes that are lifted, and access times', () => {
    const text = (...options: string[]): string[] =>
      mountOps({ destination: '/b', source: '/s', options: ['rbind', ...options] }).map(describeOp);
    expect(text('rw', 'exec', 'relatime', 'rro', 'slave')).to.deep.equal([
      'bind mount /s on /b (rw, exec, relatime, rro, slave)',
    ]);
    expect(text('noatime', 'rdev', 'rstrictatime')).to.deep.equal([
      'bind mount /s on /b (noatime, rdev, rstrictatime)',
    ]);
  });

  it('quotes arguments, and knows no limit', () => {
    const plan = planOf((config) => {
      config.process = {
        cwd: '/',
        args: ['sh', '-c', 'echo "a b"\n'],
        user: { uid: 1, gid: 2, additionalGids: [3, 4] },
        rlimits: [{ type: 'RLIMIT_CORE', soft: 0, hard: 18446744073709551615n }],
      };
    });
    expect(describeOp(onlyOp(plan, 'exec'))).to.equal('execute sh -c "echo \\"a b\\"\\n"');
    expect(opsOf(plan, 'rlimit').map(describeOp)).to.deep.equal([
      'set RLIMIT_CORE to 0 (hard limit unlimited)',
    ]);
    expect(describeOp(onlyOp(plan, 'user'))).to.equal('become uid 1, gid 2, groups 3 4, umask 0022');
    expect(describeOp(onlyOp(plan, 'findExecutable'))).to.equal('find the executable sh in no PATH');
  });

  it('says what one operation does with its values', () => {
    const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
    const scheduler = { op: 'scheduler', origin: '', runtime: 0, deadline: 0, period: 0 } as const;
    const noAttributes = { attributesSet: 0, attributesClear: 0, recursiveSet: 0, recursiveClear: 0 };
    const bind = {
      op: 'mountBind',
      origin: '',
      destination: '/d',
      source: '/s',
      ...noAttributes,
      userSlot: 0xffffffff,
      attributesUnnamed: 0,
      inside: '',
    } as const;
    const node = { op: 'device', origin: '', path: '/dev/x', major: 1, minor: 2, uid: 0, gid: 0 } as const;
    const texts: [Op, string][] = [
      [{ op: 'idmapTree', origin: '', slot: 7, userSlot: 8, recursive: 0 }, 'map the ids of that clone'],
      [{ op: 'enterContainer', origin: '', flags: 0n }, 'join no namespace of the container'],
      [{ op: 'enterContainer', origin: '', flags: 0x10000000n }, "join the container's user namespace"],
      [{ op: 'clone', origin: '', flags: 0 }, "make the container's process"],
      [{ op: 'enterNamespace', origin: '', slot: 7, type: 1 }, 'join the unknown namespace'],
      [{ op: 'affinity', origin: '', cpus: bytes(0b1011) }, 'run on CPU 0-1,3 only'],
      [{ op: 'openCgroup', origin: '', slot: 7, path: '/cg/tasks' }, 'open /cg/tasks'],
      [{ op: 'joinCgroup', origin: '', slot: 9 }, 'join the cgroup in slot 9'],
      [{ op: 'sync', origin: '', point: 1 }, 'wait for tsrun to write id maps and join cgroups'],
      [{ op: 'sync', origin: '', point: 2 }, 'wait for tsrun to run the hooks prestart and createRuntime'],
      [{ op: 'sync', origin: '', point: 3 }, 'tell tsrun that all is ready, and wait for its go'],
      [{ op: 'sync', origin: '', point: 9 }, 'wait for tsrun at point 9'],
      [{ op: 'timeNamespace', origin: '', slot: 7, offsets: '' }, 'make a new time namespace'],
      [
        { op: 'makeUserNamespace', origin: '', slot: 7, uidMap: '', gidMap: '0 1 2\n3 4 5\n' },
        'make a user namespace for idmapped mounts (uids none; gids 0 1 2, 3 4 5)',
      ],
      [{ ...bind, slot: 0xffffffff, propagation: [], flags: 0 }, 'bind mount /s on /d'],
      [
        { ...bind, slot: 9, propagation: [0x4000, 1 << 20, 1 << 17, 0], flags: 0 },
        'bind mount /s on /d, from slot 9 (runchanged, shared, unbindable, unchanged)',
      ],
      [
        {
          op: 'remount',
          origin: '',
          destination: '/d',
          options: ['ro', 'size=1k', 'rw'],
          ...noAttributes,
          propagation: [],
          flags: 0,
        },
        'remount /d (size=1k)',
      ],
      [{ ...node, mode: 0o20640 }, 'make the character device /dev/x (1:2, mode 0640)'],
      [{ ...node, mode: 0o60007 }, 'make the block device /dev/x (1:2, mode 0007)'],
      [{ ...node, mode: 0o14755 }, 'make the FIFO /dev/x (1:2, mode 4755)'],
      [
        { op: 'deviceBind', origin: '', path: '/dev/a', source: '/dev/b', slot: 7 },
        "bind mount the host's device /dev/b on /dev/a",
      ],
      [{ op: 'console', origin: '', rows: 0, columns: 0, mount: 0 }, 'open a terminal'],
      [
        { op: 'console', origin: '', rows: 0, columns: 0, mount: 1 },
        'open a terminal and mount it on /dev/console',
      ],
      [{ op: 'sysctl', origin: '', path: 'net/x', value: '1' }, "set /proc/sys/net/x to '1'"],
      [{ op: 'enterRoot', origin: '', mode: 0 }, 'make the rootfs / (pivot_root)'],
      [{ op: 'enterRoot', origin: '', mode: 1 }, 'make the rootfs / (moved over it, chroot)'],
      [{ op: 'enterRoot', origin: '', mode: 2 }, 'make the rootfs / (chroot)'],
      [{ op: 'enterRoot', origin: '', mode: 3 }, 'enter the rootfs (mode 3)'],
      [{ op: 'rootPropagation', origin: '', flags: 1 << 19 }, 'make / slave'],
      [{ op: 'rlimit', origin: '', resource: 99, soft: 1, hard: 2 }, 'set resource 99 to 1 (hard limit 2)'],
      [
        { op: 'raiseHardLimit', origin: '', resource: 7, hard: 0xffffffffffffffffn },
        'raise the hard limit of RLIMIT_NOFILE to unlimited if it is lower',
      ],
      [
        { op: 'capabilities', origin: '', effective: 1n, permitted: 3n, inheritable: 1n << 40n, ambient: 0 },
        'set capabilities: effective CAP_CHOWN; permitted CAP_CHOWN CAP_DAC_OVERRIDE; ' +
          'inheritable CAP_CHECKPOINT_RESTORE; ambient none',
      ],
      [
        { op: 'seccomp', origin: '', flags: 4, program: bytes(...Array<number>(16)) },
        'load the seccomp filter (2 instructions)',
      ],
      [
        { op: 'seccomp', origin: '', flags: 8, program: bytes(...Array<number>(8)) },
        'load the seccomp filter (1 instructions, with a listener)',
      ],
      [
        { op: 'selinuxLabel', origin: '', attribute: 'exec', label: 'a:b' },
        'execute with the SELinux label a:b',
      ],
      [{ op: 'selinuxLabel', origin: '', attribute: 'keycreate', label: 'a:b' }, 'label new keyrings a:b'],
      [{ op: 'fileLabel', origin: '', path: '/dev/x', label: 'a:b' }, 'label /dev/x a:b'],
      [{ op: 'mountLabel', origin: '', label: 'a:b' }, 'label what is made from here on a:b'],
      [{ ...scheduler, policy: 0, flags: 0, nice: 0, priority: 0 }, 'schedule by SCHED_OTHER'],
      [
        { ...scheduler, policy: 1, flags: 3n, nice: -5, priority: 9 },
        'schedule by SCHED_FIFO (nice -5, priority 9, SCHED_FLAG_RESET_ON_FORK, SCHED_FLAG_RECLAIM)',
      ],
      [
        { op: 'ioPriority', origin: '', ioClass: 2, priority: 5 },
        'set the I/O priority to IOPRIO_CLASS_BE 5',
      ],
      [{ op: 'personality', origin: '', persona: 8 }, 'set the personality to LINUX32'],
      [{ op: 'memoryPolicy', origin: '', mode: 4, nodes: bytes() }, 'set the memory policy to MPOL_LOCAL'],
      [
        { op: 'memoryPolicy', origin: '', mode: 3 | (1 << 15), nodes: bytes(0b101) },
        'set the memory policy to MPOL_INTERLEAVE (nodes 0,2, MPOL_F_STATIC_NODES)',
      ],
      [{ op: 'findExecutable', origin: '', name: './sh', path: '' }, 'find the executable ./sh'],
      [
        { op: 'exec', origin: '', args: ['-A_1@%+=:,./', 'a$'], env: [], preserveFds: 0 },
        'execute -A_1@%+=:,./ "a$"',
      ],
      [{ op: 'exec', origin: '', args: ['$a', ''], env: [], preserveFds: 0 }, 'execute "$a" ""'],
    ];
    for (const [op, text] of texts) expect(describeOp(op)).to.equal(text);
  });

  it('keeps control characters of a hostile config from the terminal', () => {
    const plan = planOf((config) => (config.hostname = 'x\n\x1b[2Jy'));
    expect(describeOp(onlyOp(plan, 'hostname'))).to.equal('set the hostname to x\\u000a\\u001b[2Jy');
  });

  it('shows id maps', () => {
    const [make, clone, map] = mountOps(
      {
        destination: '/b',
        source: '/s',
        options: ['rbind', 'ridmap'],
        uidMappings: fullMap,
        gidMappings: fullMap,
      },
      rootFacts(),
    ).map(describeOp);
    expect(make).to.include('uids 0 100000 65536; gids 0 100000 65536');
    expect(clone).to.equal('clone the mount of /s');
    expect(map).to.equal('map the ids of that clone, recursively');
  });
});
