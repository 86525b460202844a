import { constants } from 'node:os';
import { expect } from 'chai';
import { explainFailure, type Explanation } from './explain-failure.ts';
import { fullMap, mountOps, namespaceList, onlyOp, opsOf, planOf } from '../plan/testing/fixtures.ts';
import { type FaultName, type FieldType, hookFailedErrno, type Op, wireOps } from '../plan/wire.ts';

const {
  E2BIG,
  EACCES,
  EBUSY,
  EINVAL,
  ENODEV,
  ENOENT,
  ENOEXEC,
  ENOMEM,
  ENOSPC,
  ENOSYS,
  EPERM,
  EROFS,
  ESRCH,
  ETIMEDOUT,
} = constants.errno;

const oldKernel = { kernel: { major: 5, minor: 10 }, privileged: true };

function first(ops: readonly Op[]): Op {
  const [op] = ops;
  if (op === undefined) throw new Error('no operation');
  return op;
}

const bind = first(
  mountOps({ destination: '/data', type: 'bind', source: '/srv/data', options: ['bind', 'ro'] }),
);
const noPath: Op = { op: 'noNewPrivileges', origin: '' };
const tmpfs = first(mountOps({ destination: '/t', type: 'tmpfs', options: ['foo=1'] }));

function search(args: string[], env: string[] = ['PATH=/bin:/usr/bin']): Op {
  return onlyOp(
    planOf((config) => (config.process = { cwd: '/', args, env })),
    'findExecutable',
  );
}

function hook(kind: 'createContainer' | 'startContainer' = 'createContainer'): Op {
  const plan = planOf(
    (config) => (config.hooks = { [kind]: [{ path: '/bin/first' }, { path: '/bin/h', timeout: 1 }] }),
  );
  return first(opsOf(plan, 'hook').slice(1));
}

function explain(op: Op, errno: number, detail = '', fault: FaultName = 'none'): Explanation {
  return explainFailure(op, { errno, fault, detail }, oldKernel);
}

describe('explainFailure', () => {
  it('says which source of a bind mount is missing', () => {
    expect(explain(bind, ENOENT, '/srv/data', 'source')).to.deep.equal({
      pointer: '/mounts/0/source',
      reason: 'bind source /srv/data: no such file or directory (ENOENT)',
      hint: 'the source of a bind mount must exist',
    });
    const plan = planOf((config) => {
      config.linux = {
        namespaces: namespaceList('user', 'mount', 'uts'),
        uidMappings: fullMap,
        gidMappings: fullMap,
      };
    });
    expect(explain(onlyOp(plan, 'cloneTree'), ENOENT, '/srv/data', 'source')).to.include({
      pointer: '/mounts/5/source',
      reason: 'bind source /srv/data: no such file or directory (ENOENT)',
    });
  });

  it('tells destination, options and type of a mount apart', () => {
    expect(explain(bind, EACCES, 'destination /data', 'destination')).to.include({
      pointer: '/mounts/0/destination',
      reason: 'bind mount /srv/data on /data: destination /data: permission denied (EACCES)',
    });
    expect(explain(bind, EACCES, '/data (below / of the rootfs)', 'destination')).to.deep.include({
      pointer: '/mounts/0/destination',
      reason: 'bind mount /srv/data on /data: /data (below / of the rootfs): permission denied (EACCES)',
    });
    expect(explain(tmpfs, EROFS, '/t (below / of the rootfs)', 'destination').hint).to.include('read-only');
    expect(explain(bind, EPERM, 'mount options (in a user namespace …)', 'attribute').pointer).to.equal(
      '/mounts/0/options',
    );
    expect(
      explain(tmpfs, EINVAL, "filesystem tmpfs, option foo=1 (tmpfs: Unknown parameter 'foo')", 'option'),
    ).to.include({
      pointer: '/mounts/0/options',
      reason:
        "mount tmpfs on /t: filesystem tmpfs, option foo=1 (tmpfs: Unknown parameter 'foo'): invalid argument (EINVAL)",
    });
    expect(explain(tmpfs, ENODEV, 'filesystem tmpfs is not known to this kernel', 'type').pointer).to.equal(
      '/mounts/0/type',
    );
    expect(explain(tmpfs, ENOMEM).pointer).to.equal('/mounts/0');
  });

  it('repeats no long value whole, with or without spaces in it', () => {
    for (const text of [`/${'x'.repeat(4000)}`, `/${'a b/'.repeat(1000)}c`]) {
      const ops = [
        search([text]),
        first(mountOps({ destination: text, source: '/srv/data', options: ['bind'] })),
        first(mountOps({ destination: '/data', source: text, options: ['bind'] })),
        { op: 'workingDirectory', origin: '/process/cwd', path: text, create: 1 } as const,
      ];
      for (const op of ops) {
        const { reason } = explain(op, ENOENT, `${text} (below / of the rootfs)`);
        expect(reason).to.match(/….* \(400[12] characters\)/);
        expect(reason.length).to.be.below(700);
      }
    }
  });

  it('names a limit by its name and value', () => {
    const origin = '/process/rlimits/1';
    const raise: Op = { op: 'raiseHardLimit', origin, resource: 7, hard: 2n ** 64n - 1n };
    expect(explain(raise, EPERM, 'setrlimit')).to.deep.include({
      pointer: origin,
      reason: 'set the hard limit of RLIMIT_NOFILE to 18446744073709551615: operation not permitted (EPERM)',
    });
    expect(explain(raise, EPERM).hint).to.include('CAP_SYS_RESOURCE');
  });

  describe('the strings that callers look for', () => {
    it('executable not found', () => {
      const missing = explain(search(['sh']), ENOENT, 'executable file not found in $PATH');
      expect(missing).to.deep.equal({
        pointer: '/process/args/0',
        reason: 'exec: "sh": executable file not found in $PATH',
        hint: 'PATH is /bin:/usr/bin',
      });
      expect(explain(search(['sh'], []), ENOENT).hint).to.include('process.env has no PATH');
    });

    it('no such file or directory', () => {
      const missing = explain(search(['/bin/nope']), ENOENT, '/bin/nope');
      expect(missing.reason).to.equal('exec: "/bin/nope": no such file or directory (ENOENT)');
    });

    it('permission denied', () => {
      for (const [args, detail] of [
        [['/bin/x'], '/bin/x'],
        [['x'], '/usr/bin/x'],
        [['/bin'], '/bin is a directory'],
      ] as const) {
        expect(explain(search([...args]), EACCES, detail).reason).to.include('permission denied');
      }
    });
  });

  it('explains why a program cannot be executed', () => {
    const exec = onlyOp(planOf(), 'exec');
    const cases: [number, string, string, string, FaultName?][] = [
      [
        ENOEXEC,
        '/bin/sh is a program for aarch64, this machine is x86_64',
        'exec: "sh": /bin/sh is a program for aarch64, this machine is x86_64: exec format error (ENOEXEC)',
        'architecture',
      ],
      [
        ENOENT,
        '/bin/sh exists, but not its interpreter /lib64/ld.so',
        'exec: "sh": /bin/sh exists, but not its interpreter /lib64/ld.so: no such file or directory (ENOENT)',
        'loader',
        'interpreter',
      ],
      [EACCES, '/bin/sh', 'exec: "sh": /bin/sh: permission denied (EACCES)', 'noexec'],
      [E2BIG, '', 'exec: "sh": argument list too long (E2BIG)', 'too long'],
    ];
    for (const [errno, detail, reason, hint, fault] of cases) {
      const explained = explain(exec, errno, detail, fault);
      expect(explained.reason).to.equal(reason);
      expect(explained.hint).to.include(hint);
      expect(explained.pointer).to.equal('/process/args');
    }
  });

  it('explains the working directory', () => {
    const op = onlyOp(
      planOf((config) => (config.process = { cwd: '/w', args: ['sh'] })),
      'workingDirectory',
    );
    expect(explain(op, EACCES, '/w')).to.deep.include({
      pointer: '/process/cwd',
      reason: 'chdir to cwd ("/w"): permission denied (EACCES)',
    });
    expect(explain(op, EPERM, "/w leads outside of the container's root").reason).to.equal(
      'chdir to cwd ("/w"): /w leads outside of the container\'s root: operation not permitted (EPERM)',
    );
    expect(explain(op, EROFS, 'make /w').hint).to.include('cannot be made');
  });

  describe('hooks', () => {
    it('that fail', () => {
      expect(explain(hook(), hookFailedErrno, 'exit status 3: first\nsecond')).to.deep.equal({
        pointer: '/hooks/createContainer/1',
        reason: 'error running createContainer hook #1: /bin/h: exit status 3: first; second',
      });
      expect(explain(hook('startContainer'), hookFailedErrno, 'killed by signal 9').reason).to.equal(
        'error running startContainer hook #1: /bin/h: killed by signal 9',
      );
    });

    it('that take too long', () => {
      expect(explain(hook(), ETIMEDOUT, 'waiting', 'timeout')).to.deep.equal({
        pointer: '/hooks/createContainer/1/timeout',
        reason:
          'error running createContainer hook #1: /bin/h: hook ran past specified timeout of 1.0s: waiting',
      });
      expect(explain(hook(), ETIMEDOUT, '', 'timeout').reason).to.match(/timeout of 1\.0s$/);
    });

    it('that do not exist', () => {
      expect(explain(hook(), ENOENT, '/bin/h')).to.deep.equal({
        pointer: '/hooks/createContainer/1/path',
        reason: 'error running createContainer hook #1: /bin/h: no such file or directory (ENOENT)',
      });
    });
  });

  it('explains namespaces', () => {
    const plan = planOf((config) => {
      config.linux = {
        namespaces: [{ type: 'network', path: '/ns/x' }, ...namespaceList('mount', 'uts', 'time')],
      };
    });
    const open = onlyOp(plan, 'openNamespace');
    expect(explain(open, EINVAL, '/ns/x is a uts namespace, not a net namespace', 'namespace')).to.include({
      pointer: '/linux/namespaces/0/path',
      reason: '/ns/x is a uts namespace, not a net namespace',
    });
    expect(explain(open, ENOENT, '/ns/x').reason).to.equal(
      'network namespace /ns/x: no such file or directory (ENOENT)',
    );
    expect(explain(onlyOp(plan, 'enterNamespace'), EPERM).hint).to.include('CAP_SYS_ADMIN');
    expect(explain(onlyOp(plan, 'clone'), ENOSPC).hint).to.include('user.max_');
    expect(
      explainFailure(
        onlyOp(plan, 'clone'),
        { errno: EPERM, fault: 'none', detail: '' },
        { ...oldKernel, privileged: false },
      ).hint,
    ).to.include('unprivileged_userns_clone');
    expect(explain(onlyOp(plan, 'timeNamespace'), EINVAL).hint).to.include('CONFIG_TIME_NS');
  });

  it('names the kernel that has what is missing', () => {
    const mapped = mountOps({
      destination: '/b',
      source: '/s',
      options: ['bind'],
      uidMappings: fullMap,
      gidMappings: fullMap,
    });
    const idmap = first(mapped.filter(({ op }) => op === 'idmapTree'));
    expect(explain(idmap, ENOSYS, '').hint).to.include('needs Linux 5.12 or later, this host runs 5.10');
    expect(explain(bind, ENOSYS, 'recursive mount options', 'attribute').hint).to.include('5.12');
    expect(explainFailure(bind, { errno: ENOSYS, fault: 'none', detail: '' }).hint).to.match(
      /needs Linux 5\.10 or later; inside/,
    );
  });

  it('names what failed at no greater length than it needs', () => {
    const noAttributes = { attributesSet: 0, attributesClear: 0, recursiveSet: 0, recursiveClear: 0 };
    const change = { ...noAttributes, propagation: [], flags: 0, destination: '/d' };
    const made: [Op, string][] = [
      [{ op: 'remount', origin: '', options: ['size=1'], ...change }, 'remount /d'],
      [
        { op: 'device', origin: '', path: '/dev/x', mode: 0o20600, major: 1, minor: 2, uid: 0, gid: 0 },
        'make the device /dev/x',
      ],
      [{ op: 'boundingSet', origin: '', bounding: 1 }, 'limit the bounding set of capabilities'],
      [
        { op: 'capabilities', origin: '', effective: 1, permitted: 1, inheritable: 0, ambient: 0 },
        'set capabilities',
      ],
      [
        { op: 'user', origin: '', uid: 1, gid: 2, groups: [3], umask: 0o22, noGroups: 0 },
        'set user and groups',
      ],
      [
        { op: 'makeUserNamespace', origin: '', slot: 7, uidMap: '0 1 2\n', gidMap: '0 1 2\n' },
        'make a user namespace for idmapped mounts',
      ],
      [{ op: 'seccomp', origin: '', flags: 0, program: new Uint8Array(8) }, 'load the seccomp filter'],
      [{ op: 'fileLabel', origin: '', path: '/dev/x', label: 'l' }, 'label /dev/x'],
      [{ op: 'noNewPrivileges', origin: '' }, 'give up gaining privileges by execve'],
    ];
    for (const [op, title] of made) {
      expect(explain(op, EBUSY, ' x\n  y ').reason).to.equal(
        `${title}: x; y: device or resource busy (EBUSY)`,
      );
      expect(explain(op, EBUSY, 'path' in op ? op.path : '').reason).to.equal(
        `${title}: device or resource busy (EBUSY)`,
      );
    }
  });

  it('says which device of the host cannot be had', () => {
    const device: Op = { op: 'deviceBind', origin: '/x', path: '/dev/a', source: '/dev/b', slot: 7 };
    expect(explain(device, ENOENT, '/dev/b', 'source')).to.include({
      reason: 'device /dev/b: no such file or directory (ENOENT)',
    });
    expect(explain(device, ENOENT, '/dev/a').reason).to.equal(
      "bind mount the host's device /dev/b on /dev/a: no such file or directory (ENOENT)",
    );
  });

  it('names a limit that cannot be set', () => {
    const limit: Op = { op: 'rlimit', origin: '/x', resource: 7, soft: 5n, hard: 6n };
    expect(explain(limit, EPERM, 'setrlimit').reason).to.equal(
      'set RLIMIT_NOFILE to 5:6: operation not permitted (EPERM)',
    );
  });

  it('says when the container has ended', () => {
    const enter: Op = { op: 'enterContainer', origin: '', flags: 0x20000000 };
    expect(explain(enter, ESRCH, '').reason).to.equal('container not running: its process has just ended');
    expect(explain(enter, EPERM, '').reason).to.equal(
      "join the container's pid namespace: operation not permitted (EPERM)",
    );
    expect(explain(enter, EPERM).hint).to.include('joining a container needs root');
  });

  it('knows nothing of a hook that is in no list', () => {
    for (const origin of ['', '/hooks/poststop', '/x/hooks/poststop/1', '/hooks/poststop/1/path']) {
      const other: Op = {
        op: 'hook',
        origin,
        path: '/h',
        args: [],
        env: [],
        timeoutMs: 1000,
        stateSlot: 7,
        flags: 0,
      };
      expect(explain(other, hookFailedErrno).reason).to.equal('error running hook: /h: failed');
    }
    const tenth: Op = {
      ...{ op: 'hook', origin: '/hooks/poststop/10', path: '/h', args: [], env: [] },
      ...{ timeoutMs: 1000, stateSlot: 7, flags: 0 },
    };
    expect(explain(tenth, EACCES, '/h')).to.include({
      pointer: '/hooks/poststop/10/path',
      reason: 'error running poststop hook #10: /h: permission denied (EACCES)',
    });
    expect(explain(tenth, ENOEXEC).pointer).to.equal('/hooks/poststop/10/path');
    expect(explain(tenth, EPERM).pointer).to.equal('/hooks/poststop/10');
    for (const [detail, output] of [
      ['', ''],
      ['a: b', ': a: b'],
    ] as const) {
      expect(explain(tenth, ETIMEDOUT, detail, 'timeout').reason, detail).to.equal(
        `error running poststop hook #10: /h: hook ran past specified timeout of 1.0s${output}`,
      );
    }
  });

  it('points into a mount only where it is sure', () => {
    const at = (op: Op, fault: FaultName, detail = ''): string => explain(op, EINVAL, detail, fault).pointer;
    expect(at(tmpfs, 'source')).to.equal('/mounts/0/source');
    expect(at(bind, 'sourceInRootfs')).to.equal('/mounts/0/source');
    expect(at(bind, 'propagation')).to.equal('/mounts/0/options');
    expect(at(bind, 'idmap')).to.equal('/mounts/0');
    for (const detail of ['source /srv/data', '/data', 'filesystem tmpfs, option a', 'mount propagation']) {
      expect(at(bind, 'none', detail), detail).to.equal('/mounts/0');
      expect(at(tmpfs, 'none', detail), detail).to.equal('/mounts/0');
    }
    expect(at({ ...bind, origin: '/mounts/12' }, 'source')).to.equal('/mounts/12/source');
    expect(at({ ...bind, origin: '/mounts/12/x' }, 'source')).to.equal('/mounts/12/x');
    expect(at({ ...bind, origin: '/x/mounts/12' }, 'source')).to.equal('/x/mounts/12');
  });

  it('points to no id that is a default, nor to what is not in the config', () => {
    const user: Op = { op: 'user', origin: '/u', uid: 0, gid: 4, groups: [], umask: 18, noGroups: 0 };
    expect(explain(user, EINVAL, '', 'uid').pointer).to.equal('/u');
    expect(explain(user, EINVAL, '', 'gid').pointer).to.equal('/u/gid');
    expect(explain(user, EINVAL, 'x').pointer).to.equal('/u');
    expect(explain({ ...user, origin: '' }, EINVAL, '', 'gid').pointer).to.equal('');
    expect(explain({ ...noPath, origin: '/u' }, EINVAL, '', 'gid').pointer).to.equal('/u');
  });

  it('has a hint only where it fits', () => {
    const policy: Op = { op: 'memoryPolicy', origin: '', mode: 3, nodes: new Uint8Array() };
    expect(explain(policy, ENOSYS).hint).to.equal('the kernel is built without NUMA (CONFIG_NUMA)');
    expect(explain(policy, EINVAL).hint).to.include('must have memory');
    expect(explain(noPath, ENOSYS, 'x Linux 5.100 y').hint).to.include('needs Linux 5.10 or later');
    const clone: Op = { op: 'clone', origin: '', flags: 0 };
    expect(explain(clone, EPERM)).not.to.have.property('hint');
    expect(explain(clone, EACCES)).not.to.have.property('hint');
    expect(explainFailure(clone, { errno: EACCES, fault: 'none', detail: '' }).hint).to.include(
      'without root',
    );
    expect(explain(bind, EACCES, '', 'source').hint).to.include('open to the user who runs tsrun');
    expect(explain(bind, EACCES, '', 'sourceInRootfs').hint).to.include("open to the container's root");
    expect(explain(bind, EPERM, '', 'source')).not.to.have.property('hint');
    expect(explain(search(['/a/b'], []), ENOENT)).not.to.have.property('hint');
    expect(explain(search(['a'], []), EACCES).hint).to.include('process.env has no PATH');
    expect(explain(search(['a']), ENOENT).hint).to.equal('PATH is /bin:/usr/bin');
    expect(explain(search(['a']), EACCES)).not.to.have.property('hint');
    const exec: Op = { op: 'exec', origin: '', args: ['/a'], env: [], preserveFds: 0 };
    expect(explain(exec, ENOENT, '', 'interpreter').hint).to.include('dynamic loader');
    expect(explain(exec, ENOENT)).not.to.have.property('hint');
    expect(explain(exec, EACCES, '', 'interpreter').hint).to.include('executable for the user');
  });

  it('points to the id that is not mapped', () => {
    const user = onlyOp(
      planOf((config) => {
        config.process = { cwd: '/', args: ['sh'], user: { uid: 5, additionalGids: [7] } };
      }),
      'user',
    );
    const pointer = (fault: FaultName): string => explain(user, EINVAL, '', fault).pointer;
    expect(pointer('uid')).to.equal('/process/user/uid');
    // gid is a default, so there is no such property.
    expect(pointer('gid')).to.equal('/process/user');
    expect(pointer('additionalGid')).to.equal('/process/user/additionalGids');
  });

  it('takes errnos of either sign, and does without hints', () => {
    expect(explain(bind, -EBUSY, 'x')).to.deep.equal(explain(bind, EBUSY, 'x'));
    expect(explain(bind, EBUSY, 'x')).not.to.have.property('hint');
    expect(explain(bind, 4711).reason).to.equal('bind mount /srv/data on /data: errno 4711');
  });

  it('makes one line of every operation, errno and detail', () => {
    const neutral = {
      u32: 1,
      i32: 1,
      u64: 1n,
      i64: 1n,
      str: 's',
      bytes: new Uint8Array(),
      strs: [],
      u32s: [],
    };
    const details = ['', 'x', 'source ', 'a\nb\r\n\n', '\0', ': : ', 'é'.repeat(5000), '$& $1', '__proto__'];
    for (const [op, { fields }] of Object.entries(wireOps)) {
      const values = Object.entries<FieldType>(fields).map(([name, type]) => [name, neutral[type]]);
      for (const origin of ['', '/mounts/3', '/x']) {
        const made = { op, origin, ...(Object.fromEntries(values) as object) } as unknown as Op;
        for (const errno of [0, EPERM, ENOENT, EINVAL, ENOSYS, ETIMEDOUT, hookFailedErrno, 9999]) {
          for (const detail of details) {
            for (const fault of ['none', 'source', 'destination', 'timeout'] as const) {
              const { reason, pointer, hint } = explain(made, errno, detail, fault);
              expect(reason, op).to.match(/^[^\n]+$/);
              expect(pointer.startsWith(origin)).to.be.true;
              if (hint !== undefined) expect(hint).to.match(/^[^\n]+$/);
            }
          }
        }
      }
    }
  });
});
