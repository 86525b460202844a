import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import {
  chownSync,
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  mkdirSync,
  openSync,
  statSync,
} from 'node:fs';
import { installation } from '../../lib/native/install.ts';
import { faults, messages } from '../../lib/plan/wire.ts';
import { capabilityNumbers } from '../../lib/config/capabilities.ts';
import {
  afterMounts,
  clone,
  denyWith,
  errno,
  errorOf,
  fields,
  newNs,
  outputOf,
  program,
  runOps,
  scratch,
  setup,
  shell,
  withMaps,
} from './testing/ops.ts';
import type { TestOp } from './testing/plan.ts';

describe('init: the process', () => {
  const { path, file } = scratch();

  const status = program(['cat', '/proc/self/status']);

  it('has the user, groups, umask, capabilities and privileges of the plan', () => {
    const chownKill = 0b100001n;
    const stdout = outputOf([
      clone(),
      { op: 'boundingSet', bounding: chownKill },
      { op: 'user', uid: 1234, gid: 2345, groups: [7, 8], umask: 0o27, noGroups: 0 },
      {
        op: 'capabilities',
        effective: 1n,
        permitted: chownKill,
        inheritable: chownKill,
        ambient: chownKill,
      },
      { op: 'noNewPrivileges' },
      ...status,
    ]);
    const found = fields(stdout);
    expect(found.get('Uid')).to.equal('1234\t1234\t1234\t1234');
    expect(found.get('Gid')).to.equal('2345\t2345\t2345\t2345');
    expect(found.get('Groups')).to.equal('7 8');
    expect(found.get('Umask')).to.equal('0027');
    expect(found.get('NoNewPrivs')).to.equal('1');
    // The ambient set is what a user other than root gets at execve.
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
      expect(found.get(set), set).to.equal('0000000000000021');
    }
  });

  it('has no ambient capability of its caller', () => {
    const kill = 0b100000n;
    const stdout = outputOf(
      [
        clone(),
        { op: 'boundingSet', bounding: kill },
        { op: 'capabilities', effective: kill, permitted: kill, inheritable: kill, ambient: 0n },
        ...status,
      ],
      { wrap: ['/usr/bin/setpriv', '--inh-caps=+kill', '--ambient-caps=+kill', installation().init] },
    );
    expect(fields(stdout).get('CapAmb')).to.equal('0000000000000000');
  });

  it('keeps its name, has default signals, and shows none of the init', () => {
    const found = fields(outputOf([clone(), ...status]));
    expect(found.get('Name')).to.equal('cat');
    for (const set of ['SigBlk', 'SigIgn', 'SigCgt', 'ShdPnd']) expect(found.get(set), set).to.match(/^0+$/);
  });

  it('gets no capability that is not there, with a warning that names it', () => {
    const everything = (1n << 41n) - 1n;
    const result = runOps([
      clone(),
      { op: 'boundingSet', bounding: 0b11n },
      {
        op: 'capabilities',
        effective: everything | (1n << 60n),
        permitted: everything | (1n << 60n),
        inheritable: 0b101n,
        ambient: 0b11n,
      },
      ...status,
    ]);
    expect(result.status).to.equal(0);
    const found = fields(result.stdout);
    expect(found.get('CapBnd')).to.equal('0000000000000003');
    expect(found.get('CapInh')).to.equal('0000000000000001');
    expect(found.get('CapAmb')).to.equal('0000000000000001');
    expect(result.messages.map(({ type }) => type)).to.deep.equal(Array(3).fill(messages.warning));
    const warnings = result.messages.map(({ detail }) => detail);
    expect(warnings[0]).to.match(/CAP_60 cannot be granted: tsrun does not have it$/);
    expect(warnings.slice(1)).to.deep.equal([
      'CAP_DAC_READ_SEARCH cannot be granted: what is inheritable must be bounding',
      'CAP_DAC_OVERRIDE cannot be granted: what is ambient must be permitted and inheritable',
    ]);
  });

  it('gets a warning with the name of each capability it lacks', () => {
    const known = [...capabilityNumbers].sort(([, a], [, b]) => a - b);
    const permitted = known.reduce((sum, [, number]) => sum | (1n << BigInt(number)), 0n);
    const { messages: said } = runOps(
      [clone(), { op: 'capabilities', effective: 0n, permitted, inheritable: 0n, ambient: 0n }, ...status],
      { wrap: ['/usr/bin/setpriv', '--inh-caps=-all', '--bounding-set=-all', installation().init] },
    );
    expect(known).to.have.length(41);
    expect(said.map(({ detail }) => detail)).to.deep.equal([
      `${known.map(([name]) => name).join(', ')} cannot be granted: tsrun does not have it`,
    ]);
  });

  it('has the limits of the plan', () => {
    const stdout = outputOf([
      clone(),
      { op: 'rlimit', resource: 7, soft: 100, hard: 200 },
      { op: 'rlimit', resource: 4, soft: 0, hard: 0 },
      ...shell('ulimit -n; ulimit -Hn; ulimit -c'),
    ]);
    expect(stdout).to.equal('100\n200\n0\n');
    const message = errorOf([
      clone(),
      { op: 'rlimit', resource: 99, soft: 0, hard: 0 },
      ...program(['true']),
    ]);
    expect(message).to.include({ op: 1, errno: errno.EINVAL, detail: 'setrlimit' });
  });

  it('inherits hard limits that A could keep or raise', () => {
    const low = { op: 'raiseHardLimit', resource: 7, hard: 1 } as const;
    const shown = shell('ulimit -n; ulimit -Hn');
    expect(outputOf([low, clone(), ...shown])).to.equal(outputOf([clone(), ...shown]));
    const message = errorOf([{ ...low, resource: 99 }, clone(), ...program(['true'])]);
    expect(message).to.include({ op: 0, errno: errno.EINVAL, detail: 'setrlimit' });
    // Not even root with all capabilities gets more than fs.nr_open.
    const most = errorOf([{ ...low, hard: 2n ** 64n - 1n }, clone(), ...program(['true'])]);
    expect(most).to.include({ op: 0, errno: errno.EPERM, detail: 'setrlimit' });
  });

  it('has the OOM score of the plan', () => {
    const stdout = outputOf([
      { op: 'oomScoreAdj', value: 321 },
      clone(),
      ...program(['cat', '/proc/self/oom_score_adj']),
    ]);
    expect(stdout).to.equal('321\n');
  });

  it('says which id the user namespace does not map', () => {
    const message = errorOf(
      [
        clone(newNs.user),
        setup,
        { op: 'becomeRoot' },
        { op: 'user', uid: 0, gid: 0, groups: [5, 77], umask: 0o22, noGroups: 0 },
        ...program(['true']),
      ],
      withMaps('0 100000 10'),
    );
    expect(message).to.include({
      op: 3,
      errno: errno.EINVAL,
      value: faults.additionalGid,
      detail: 'additional gid 77 is not mapped in the user namespace',
    });
  });

  describe('gives its user', () => {
    const user: TestOp = { op: 'user', uid: 1234, gid: 0, groups: [], umask: 0, noGroups: 0 };
    /** Owner of a FIFO that is stdin, after the init has changed its user. */
    const ownerOf = (fifo: string, ...before: TestOp[]): number => {
      execFileSync('mkfifo', [fifo]);
      const stdin = openSync(fifo, 'r+');
      try {
        outputOf([clone(), ...before, user, ...program(['true'])], { stdin });
        return fstatSync(stdin).uid;
      } finally {
        closeSync(stdin);
      }
    };

    it('stdio that is a pipe', () => {
      expect(ownerOf(path('given'))).to.equal(1234);
    });

    it('no stdio where the kernel refuses that for an id, a file or a mount', () => {
      for (const name of ['EINVAL', 'EPERM', 'EROFS'] as const) {
        expect(ownerOf(path(name), denyWith(errno[name], 'fchown')), name).to.equal(0);
      }
      const broken = [clone(), denyWith(errno.EIO, 'fchown'), user, ...program(['true'])];
      const stdin = openSync(path('given'), 'r+');
      expect(errorOf(broken, { stdin })).to.include({ op: 2, errno: errno.EIO, detail: 'owner of stdio' });
      closeSync(stdin);
    });

    it('a file of root that it writes to, and no other file', () => {
      const ownerOfFile = (flags: string, uid: number): number => {
        const name = file('stdin', '');
        chownSync(name, uid, 0);
        const stdin = openSync(name, flags);
        outputOf([clone(), user, ...program(['true'])], { stdin });
        closeSync(stdin);
        return statSync(name).uid;
      };
      const before = statSync('/dev/null').uid;
      expect(ownerOfFile('r+', 0)).to.equal(1234);
      expect(ownerOfFile('w', 0)).to.equal(1234);
      expect(ownerOfFile('r', 0)).to.equal(0);
      expect(ownerOfFile('r+', 7)).to.equal(7);
      outputOf([clone(), user, ...program(['true'])]);
      expect(statSync('/dev/null').uid).to.equal(before);
    });
  });

  it('starts where the plan says, in directories made for it when they are missing', () => {
    const missing = path('made/for/it');
    expect(
      outputOf([clone(), { op: 'workingDirectory', path: missing, create: 1 }, ...shell('pwd')]),
    ).to.equal(`${missing}\n`);
    const message = errorOf([
      clone(),
      { op: 'workingDirectory', path: path('nowhere'), create: 0 },
      ...program(['true']),
    ]);
    expect(message).to.include({ errno: errno.ENOENT, detail: path('nowhere') });
  });

  it('never starts outside of its root', () => {
    const root = path('root');
    mkdirSync(`${root}/proc`, { recursive: true });
    copyFileSync('/bin/busybox', `${root}/busybox`);
    copyFileSync(installation().init, `${root}/init`);
    const wrap = afterMounts(`mount --rbind /proc ${root}/proc`, `chroot ${root} /init`);
    const outside = openSync('/', constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      const ops: TestOp[] = [
        clone(),
        { op: 'workingDirectory', path: '/proc/self/fd/3', create: 0 },
        { op: 'findExecutable', name: '/busybox', path: '' },
        { op: 'exec', args: ['busybox', 'ls'], env: [], preserveFds: 1 },
      ];
      const message = errorOf(ops, { wrap, keep: [outside] });
      expect(message).to.include({ op: 1, errno: errno.ELOOP, detail: '/proc/self/fd/3' });
    } finally {
      closeSync(outside);
    }
  });

  it('has HOME from /etc/passwd only when the environment has none', () => {
    const home = (uid: number, env: string[]): string =>
      outputOf([clone(), { op: 'home', uid }, ...program(['env'], env)]);
    expect(home(0, ['A=1'])).to.equal('A=1\nHOME=/root\n');
    expect(home(0, ['HOME=/mine'])).to.equal('HOME=/mine\n');
    expect(home(4242, [])).to.equal('HOME=/\n');
  });

  it('finds HOME in a large passwd, and never in something that is not a file', () => {
    const passwd = file(
      'passwd',
      `${'#'.repeat(9000)}\nx:x:99999999999:\nlong:x:5:5::/${'l'.repeat(5000)}:\n` +
        `${'user:x:1:1::/one:/bin/sh\n'.repeat(20_000)}nocolon\nme:x:4242:1::/home/me`,
    );
    const home = (uid: number, over: string): string =>
      outputOf([clone(), { op: 'home', uid }, ...program(['env'])], {
        wrap: afterMounts(`mount --bind ${over} /etc/passwd`),
      });
    expect(home(4242, passwd)).to.equal('HOME=/home/me\n');
    expect(home(1, passwd)).to.equal('HOME=/one\n');
    expect(home(5, passwd)).to.equal('HOME=/\n');
    const pipe = path('passwd-pipe');
    execFileSync('mkfifo', [pipe]);
    expect(home(0, pipe)).to.equal('HOME=/\n');
  });

  it('has only the descriptors it was given, and keeps gaps between them', () => {
    const kept = openSync('/dev/null', 'r');
    try {
      const list =
        'for n in 0 1 2 3 4 5 6 7 8 9 10 11 12 13; do [ -e /proc/self/fd/$n ] && printf "$n "; done; true';
      const find: TestOp = { op: 'findExecutable', name: 'sh', path: '/bin' };
      const args = ['sh', '-c', list];
      expect(outputOf([clone(), find, { op: 'exec', args, env: [], preserveFds: 0 }])).to.equal('0 1 2 ');
      const exec: TestOp = { op: 'exec', args, env: [], preserveFds: 4 };
      const keep = [-1, kept, -1, kept];
      expect(outputOf([clone(), find, exec], { keep })).to.equal('0 1 2 4 6 ');
      expect(outputOf([clone(), find, exec], { keep, stdin: -1 })).to.equal('1 2 4 6 ');
      const tooMany: TestOp = { op: 'exec', args, env: [], preserveFds: 5 };
      expect(errorOf([clone(), find, tooMany], { keep })).to.include({ op: 2, errno: errno.EINVAL });
    } finally {
      closeSync(kept);
    }
  });

  it('gets arguments and environment of any number and length the kernel allows', () => {
    const args = ['sh', '-c', 'echo $#; echo ${#LONG}', 'sh', ...Array.from({ length: 20_000 }, String)];
    const stdout = outputOf([clone(), ...program(args, [`LONG=${'x'.repeat(100_000)}`])]);
    expect(stdout).to.equal('20000\n100000\n');
    const tooLong = errorOf([clone(), ...program(['true', 'x'.repeat(200_000)])]);
    expect(tooLong).to.include({ op: 2, errno: errno.E2BIG });
  });

  it('has a session keyring of its own', () => {
    const name = `_ses.tsrun-init-test-${String(process.pid)}`;
    const keyring: TestOp = { op: 'keyring', name };
    const show = program(['cat', '/proc/keys']);
    // Its owner may search it; in a user namespace everybody may.
    expect(outputOf([clone(), keyring, ...show])).to.match(new RegExp(` 3f1b0000 .*keyring +${name}: empty`));
    const inUserNamespace = [clone(newNs.user), setup, { op: 'becomeRoot' }, keyring, ...show] as const;
    expect(outputOf(inUserNamespace, withMaps('0 0 1'))).to.match(
      new RegExp(` 3f130008 .*keyring +${name}: empty`),
    );
  });

  it('leads a session when the plan says so', () => {
    const script = 'read -r _ _ _ _ pgrp session _ < /proc/self/stat; [ $session = $$ ] && echo leader';
    expect(outputOf([clone(), { op: 'newSession' }, ...shell(script)])).to.equal('leader\n');
  });
});
