import { expect } from 'chai';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { pidfdSignal, reap, waitPidfd } from '../../lib/native/pidfd.ts';
import { spawn, type Spawned } from '../../lib/native/spawn.ts';
import { sealedMemfd } from '../../lib/native/memfd.ts';
import { slots, syncPoints } from '../../lib/plan/wire.ts';
import { compileFilter } from '../../lib/seccomp/compile.ts';
import type { Seccomp } from '../../lib/config/types.ts';
import {
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
} from './testing/ops.ts';
import type { TestOp } from './testing/plan.ts';
import { compile } from './testing/programs.ts';

const noNewPrivileges: TestOp = { op: 'noNewPrivileges' };
const ready: TestOp = { op: 'sync', point: syncPoints.ready };
const newListener = 1 << 3;

function load(profile: Partial<Seccomp>): TestOp {
  const { program: code, flags } = compileFilter({ defaultAction: 'SCMP_ACT_ALLOW', ...profile });
  return { op: 'seccomp', flags, program: code };
}

const deny = (...names: string[]): TestOp => denyWith(errno.EPERM, ...names);

/** A user without any capability. */
const nobody: TestOp[] = [
  { op: 'user', uid: 65534, gid: 65534, groups: [], umask: 0o22, noGroups: 0 },
  { op: 'capabilities', effective: 0, permitted: 0, inheritable: 0, ambient: 0 },
];

describe('init: seccomp', () => {
  const { path } = scratch();

  it('filters the process', () => {
    const stdout = outputOf([
      clone(),
      noNewPrivileges,
      deny('mkdir', 'mkdirat'),
      ...shell(`mkdir ${path('made')} 2>&1; grep ^Seccomp: /proc/self/status`),
    ]);
    expect(stdout).to.match(/Operation not permitted\nSeccomp:\t2\n$/);
  });

  it('needs no_new_privs, or CAP_SYS_ADMIN', () => {
    const loads = (...before: TestOp[]): TestOp[] => [clone(), ...before, deny('mkdir'), ...shell('true')];
    expect(runOps(loads()).status).to.equal(0);
    expect(runOps(loads(...nobody, noNewPrivileges)).status).to.equal(0);
    expect(errorOf(loads(...nobody)).errno).to.equal(errno.EACCES);
  });

  it('allows nothing but execve, when the profile does not', () => {
    const exit42 = compile('exit42', path(), '-nostdlib', '-nostartfiles');
    const tight = load({
      defaultAction: 'SCMP_ACT_KILL_PROCESS',
      syscalls: [{ names: ['execve', 'exit_group'], action: 'SCMP_ACT_ALLOW' }],
    });
    const plan = (filter: TestOp): TestOp[] => [
      clone(),
      noNewPrivileges,
      { op: 'findExecutable', name: exit42, path: '' },
      filter,
      { op: 'exec', args: [exit42], env: ['A=b'], preserveFds: 0 },
    ];
    expect(runOps(plan(tight))).to.deep.include({ status: 42, messages: [] });
    const nothing = load({ defaultAction: 'SCMP_ACT_KILL_PROCESS' });
    expect(runOps(plan(nothing))).to.deep.include({ status: 128 + constants.signals.SIGSYS, messages: [] });
  });

  it('reports an execve that the profile denies', () => {
    const error = errorOf([clone(), noNewPrivileges, deny('execve'), ...shell('true')]);
    expect([error.op, error.errno, error.detail]).to.deep.equal([4, errno.EPERM, '/usr/bin/sh']);
  });

  it('runs hooks under the profile, also under one older than clone3 and close_range', () => {
    const state = sealedMemfd('state', Buffer.from('{}'));
    try {
      const leak = openSync('/dev/null', 'r');
      const stdout = outputOf(
        [
          clone(),
          setup,
          noNewPrivileges,
          deny('clone3', 'close_range', 'mkdir', 'mkdirat'),
          {
            op: 'hook',
            path: '/bin/sh',
            args: [
              'sh',
              '-c',
              `(mkdir ${path('hook')}; ls /proc/self/fd | tr '\\n' ' ') >${path('hook.txt')} 2>&1`,
            ],
            env: ['PATH=/usr/bin:/bin'],
            timeoutMs: 0,
            stateSlot: slots.stateCreating,
            flags: 0,
          },
          ...shell('echo /proc/self/fd/*'),
        ],
        { keep: [leak], atSync: () => [state, state] },
      );
      closeSync(leak);
      const hook = readFileSync(path('hook.txt'), 'utf8');
      expect(hook).to.match(/Operation not permitted/);
      // Those of the shell and of ls, nothing of the init's.
      expect(hook).to.match(/\n0 1 2 3 $/);
      expect(stdout.split(' ')).to.have.length(4);
    } finally {
      closeSync(state);
    }
  });

  it('refuses a program that is no filter', () => {
    for (const code of [new Uint8Array(), new Uint8Array(7), new Uint8Array(8 * 4097), new Uint8Array(8)]) {
      const error = errorOf([
        clone(),
        noNewPrivileges,
        { op: 'seccomp', flags: 0, program: code },
        ...shell('true'),
      ]);
      expect([error.op, error.errno]).to.deep.equal([2, errno.EINVAL]);
    }
  });

  describe('with a listener', () => {
    let agent: Spawned | undefined;
    const log = (): string => path('agent.txt');

    /** Starts the agent of testing/agent.c, which lets every call go on. */
    function startAgent(listener: number): void {
      const [stdin, out] = [openSync('/dev/null', 'r'), openSync(log(), 'w')];
      agent = spawn({
        executable: path('agent'),
        args: ['agent'],
        env: [],
        fds: [stdin, out, out, listener],
        restoreLimits: false,
      });
      closeSync(stdin);
      closeSync(out);
    }

    before(() => {
      compile('agent', path());
    });

    afterEach(() => {
      if (agent === undefined) return;
      if (!waitPidfd(agent.pidfd, 5000)) pidfdSignal(agent.pidfd, constants.signals.SIGKILL);
      reap(agent.pidfd);
      closeSync(agent.pidfd);
      agent = undefined;
    });

    function notify(...names: string[]): TestOp {
      return load({ syscalls: [{ names, action: 'SCMP_ACT_NOTIFY' }] });
    }

    it('gives the listener to the engine', () => {
      const result = runOps(
        [
          clone(newNs.pid),
          setup,
          noNewPrivileges,
          notify('mkdir', 'mkdirat'),
          ready,
          ...shell(`mkdir ${path('notified')}`),
        ],
        { atListener: startAgent },
      );
      expect(result).to.deep.include({ status: 0, messages: [] });
      expect(readFileSync(log(), 'utf8').trim().split('\n')).to.have.length(1);
    });

    it('does not wait for an agent, whatever calls notify', () => {
      const calls =
        'sendmsg recvmsg wait4 close accept4 read openat openat2 clone clone3 futex kill exit_group execve mmap getpid';
      const result = runOps(
        [clone(), setup, noNewPrivileges, notify(...calls.split(' ')), ready, ...shell('true')],
        { atListener: startAgent },
      );
      expect(result).to.deep.include({
        status: 0,
        messages: [],
        syncPoints: [syncPoints.setup, syncPoints.ready],
      });
    });

    it('leaves no child and no descriptor behind', () => {
      const result = runOps(
        [
          clone(newNs.pid),
          setup,
          noNewPrivileges,
          notify('mkdir'),
          ready,
          ...shell('read -r x </proc/thread-self/children; echo "[$x]"; echo /proc/self/fd/*'),
        ],
        { atListener: startAgent },
      );
      expect(result.status).to.equal(0);
      // The last descriptor is the directory the shell reads.
      expect(result.stdout).to.equal(`[]\n${[0, 1, 2, 3].map((fd) => `/proc/self/fd/${fd}`).join(' ')}\n`);
    });

    it('reports a filter that cannot be loaded, and ends the courier', () => {
      const error = errorOf([clone(), ...nobody, notify('mkdir'), ready, ...shell('true')]);
      expect([error.op, error.errno]).to.deep.equal([3, errno.EACCES]);
    });

    it('reports EBUSY for a second listener', () => {
      const op = notify('mkdir');
      const result = runOps([clone(), setup, noNewPrivileges, op, op, ...shell('true')], {
        atListener: startAgent,
      });
      expect(result.messages.map(({ op: index, errno: error }) => [index, error])).to.deep.equal([
        [4, errno.EBUSY],
      ]);
    });

    it('ends when the engine is gone', () => {
      const result = runOps([clone(), setup, noNewPrivileges, notify('mkdir'), ready, ...shell('true')], {
        atSync: (point) => (point === syncPoints.ready ? false : undefined),
        atListener: startAgent,
      });
      expect(result).to.deep.include({ status: 1, messages: [] });
    });

    it('reports a profile that denies write(2)', () => {
      const rules: Seccomp['syscalls'] = [
        { names: ['mkdir'], action: 'SCMP_ACT_NOTIFY' },
        { names: ['write'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 },
      ];
      const error = errorOf([clone(), noNewPrivileges, load({ syscalls: rules }), ...shell('true')]);
      expect(error.errno).to.equal(errno.EPERM);
      expect(error.detail).to.equal('hand over the listener; the profile must allow write(2)');
    });
  });

  it('gives a filter that notifies the flag for a listener', () => {
    const { flags } = compileFilter({
      defaultAction: 'SCMP_ACT_ALLOW',
      flags: ['SECCOMP_FILTER_FLAG_TSYNC', 'SECCOMP_FILTER_FLAG_LOG'],
      syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_NOTIFY' }],
    });
    expect(flags & newListener).to.equal(newListener);
    // The kernel refuses the two together.
    expect(flags & 1).to.equal(0);
  });

  it('does not change the signals of the process', () => {
    const found = fields(
      outputOf([clone(), noNewPrivileges, deny('mkdir'), ...program(['cat', '/proc/self/status'])]),
    );
    for (const set of ['SigBlk', 'SigIgn', 'SigCgt']) expect(found.get(set), set).to.match(/^0+$/);
  });
});
