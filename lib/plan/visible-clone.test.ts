import { expect } from 'chai';
import { constants } from 'node:os';
import type { Config, Linux } from '../config/types.ts';
import type { HostFacts } from '../host/facts.ts';
import { admitsClone } from './filter-admits.ts';
import { names, planOf, planOptions, rootFacts, userFacts } from './testing/fixtures.ts';
import { isPrivilegedInSight } from './visible-clone.ts';
import type { Op, OpName } from './wire.ts';

const audit = { x64: 0xc000003e, arm64: 0xc00000b7 } as const;
const allow = 0x7fff0000;
const kill = 0x80000000;
const refuse = (errno: number): number => 0x00050000 | errno;

type Instruction = [code: number, jumpTrue: number, jumpFalse: number, operand: number];

function assemble(...instructions: Instruction[]): Uint8Array {
  const bytes = Buffer.alloc(instructions.length * 8);
  instructions.forEach(([code, jumpTrue, jumpFalse, operand], index) => {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(jumpTrue, index * 8 + 2);
    bytes.writeUInt8(jumpFalse, index * 8 + 3);
    bytes.writeUInt32LE(operand, index * 8 + 4);
  });
  return bytes;
}

/** Allows everything but one system call of x86-64, which has `action`. */
function exceptFor(number: number, action: number): Uint8Array {
  return assemble(
    [0x20, 0, 0, 4],
    [0x15, 1, 0, audit.x64],
    [0x06, 0, 0, kill],
    [0x20, 0, 0, 0],
    [0x15, 0, 1, number],
    [0x06, 0, 0, action],
    [0x06, 0, 0, allow],
  );
}

const more = { ioctl: 16, prlimit64: 302, recvmsg: 47, sendmsg: 46 };
const calls = {
  write: 1,
  setsid: 112,
  clone: 56,
  clone3: 435,
  execve: 59,
  accept4: 288,
  swapon: 167,
  ...more,
};
const { ENOSYS, EPERM, EACCES } = constants.errno;

describe('a filter and the clone of a visible process', () => {
  const everything = { start: true, terminal: true, limits: true, socket: true };
  const nothing = { start: false, terminal: false, limits: false, socket: false };
  const admits = (program: Uint8Array, needs = everything): boolean => admitsClone(program, needs, 'x64');

  it('goes before it when it allows all that comes after', () => {
    expect(admits(exceptFor(calls.swapon, kill))).to.equal(true);
    expect(admits(exceptFor(calls.clone3, refuse(ENOSYS)))).to.equal(true);
    expect(admits(exceptFor(calls.clone3, refuse(EPERM)))).to.equal(true);
    expect(admits(exceptFor(calls.write, 0x7ffc0000))).to.equal(true);
  });

  it('goes after it when it does not', () => {
    for (const name of ['write', 'setsid', 'clone', 'execve', 'accept4'] as const)
      expect(admits(exceptFor(calls[name], refuse(EPERM))), name).to.equal(false);
    expect(admits(exceptFor(calls.clone3, kill))).to.equal(false);
    expect(admits(exceptFor(calls.clone3, refuse(EACCES)))).to.equal(false);
    expect(admits(assemble([0x06, 0, 0, kill]))).to.equal(false);
  });

  it('asks for what this plan does only', () => {
    const only = { accept4: 'start', ioctl: 'terminal', prlimit64: 'limits', recvmsg: 'socket' } as const;
    for (const [name, need] of Object.entries(only)) {
      const denying = exceptFor(calls[name as keyof typeof only], kill);
      expect(admits(denying, nothing), name).to.equal(true);
      expect(admits(denying, { ...nothing, [need]: true }), name).to.equal(false);
    }
    expect(admits(exceptFor(calls.sendmsg, kill), nothing)).to.equal(true);
  });

  it('looks at the arguments of clone(2)', () => {
    const denied = (mask: number): Uint8Array =>
      assemble(
        [0x20, 0, 0, 0],
        [0x15, 0, 4, calls.clone],
        [0x20, 0, 0, 16],
        [0x54, 0, 0, mask],
        [0x15, 1, 0, 0],
        [0x06, 0, 0, refuse(EPERM)],
        [0x06, 0, 0, allow],
      );
    expect(admits(denied(0x7e020000))).to.equal(true);
    expect(admits(denied(0x8000))).to.equal(false);
  });

  it('looks at the request of ioctl(2)', () => {
    const denied = (request: number): Uint8Array =>
      assemble(
        [0x20, 0, 0, 0],
        [0x15, 0, 3, calls.ioctl],
        [0x20, 0, 0, 24],
        [0x15, 0, 1, request],
        [0x06, 0, 0, kill],
        [0x06, 0, 0, allow],
      );
    const [setTerminal, typeAhead] = [0x540e, 0x5412];
    expect(admits(denied(setTerminal))).to.equal(false);
    expect(admits(denied(typeAhead))).to.equal(true);
  });

  it('is followed where it compares and jumps', () => {
    // What the plan needs most is close_range(2), 436; mmap(2) is 9.
    const killing = (code: number, operand: number): boolean =>
      admits(
        assemble([0x20, 0, 0, 0], [code, 0, 1, operand], [0x06, 0, 0, kill], [0x06, 0, 0, allow]),
        nothing,
      );
    const [greater, greaterOrEqual, anyBit] = [0x25, 0x35, 0x45];
    expect([killing(greater, 436), killing(greater, 435)]).to.deep.equal([true, false]);
    expect([killing(greaterOrEqual, 437), killing(greaterOrEqual, 436)]).to.deep.equal([true, false]);
    expect([killing(anyBit, 0x400), killing(anyBit, 8)]).to.deep.equal([true, false]);
    const jump = assemble([0x05, 0, 0, 2], [0x06, 0, 0, kill], [0x06, 0, 0, kill], [0x06, 0, 0, allow]);
    expect(admits(jump)).to.equal(true);
    const lastWord = assemble([0x20, 0, 0, 60], [0x06, 0, 0, allow]);
    expect(admits(lastWord)).to.equal(true);
  });

  it('goes after it when it has clone3(2) answered by somebody else', () => {
    const trace = 0x7ff00000;
    expect(admits(exceptFor(calls.clone3, trace | ENOSYS))).to.equal(false);
  });

  it('is not trusted when it is not understood', () => {
    expect(admits(assemble([0x0c, 0, 0, 0], [0x06, 0, 0, allow]))).to.equal(false);
    expect(admits(assemble([0x20, 0, 0, 64], [0x06, 0, 0, allow]))).to.equal(false);
    expect(admits(assemble([0x20, 0, 0, 0]))).to.equal(false);
    expect(admitsClone(assemble([0x06, 0, 0, allow]), nothing, 'riscv64')).to.equal(false);
  });
});

interface Case {
  program?: Uint8Array;
  noNewPrivileges?: boolean;
  notify?: boolean;
  change?: (config: Config) => void;
}

/** The operations of a container that joins a pid namespace. */
function orderOf({ program, noNewPrivileges = true, notify = false, change }: Case): OpName[] {
  return names(
    planOf(
      (config) => {
        config.linux = {
          namespaces: [{ type: 'pid', path: '/ns/pid' }, { type: 'mount' }],
          ...(program && { seccomp: { defaultAction: 'SCMP_ACT_ALLOW' } }),
        };
        delete config.hostname;
        config.process = { ...config.process, cwd: '/', noNewPrivileges };
        change?.(config);
      },
      rootFacts(),
      planOptions({ seccomp: program && { program, flags: 0, notify } }),
    ),
  );
}

describe('the clone of a process that others see', () => {
  const permissive = assemble([0x06, 0, 0, allow]);
  const strict = assemble([0x06, 0, 0, kill]);
  const tail = (given: Case): OpName[] => {
    const order = orderOf(given);
    return order.slice(order.indexOf('closeHostDescriptors') + 1);
  };

  it('comes after all privileges are given up', () => {
    const privileges = ['boundingSet', 'user', 'capabilities', 'noNewPrivileges', 'findExecutable'];
    expect(tail({})).to.deep.equal([...privileges, 'cloneVisible', 'newSession', 'waitStart', 'exec']);
  });

  it('comes after the filter where that allows it', () => {
    const order = tail({ program: permissive });
    expect(order.indexOf('seccomp')).to.equal(order.indexOf('cloneVisible') - 1);
    const privileged = tail({ program: permissive, noNewPrivileges: false });
    expect(privileged.indexOf('seccomp')).to.be.below(privileged.indexOf('user'));
    expect(privileged.indexOf('cloneVisible')).to.be.above(privileged.indexOf('findExecutable'));
  });

  it('comes before a filter that denies it, or that tells an agent of the process', () => {
    expect(tail({ program: strict }).slice(-4)).to.deep.equal(['newSession', 'waitStart', 'seccomp', 'exec']);
    const privileged = tail({ program: strict, noNewPrivileges: false });
    expect(privileged.indexOf('cloneVisible')).to.be.within(0, privileged.indexOf('seccomp'));
    const notified = tail({ program: permissive, notify: true });
    expect(notified.indexOf('cloneVisible')).to.be.within(0, notified.indexOf('seccomp'));
  });

  it('comes before a scheduling policy that a fork would lose', () => {
    const scheduled = (policy: string, flags: string[] = []): OpName[] =>
      tail({
        change: (config) => {
          const times = policy === 'SCHED_DEADLINE' ? { runtime: 1024, deadline: 2048, period: 4096 } : {};
          const scheduler = { policy, flags, ...times };
          config.process = { ...config.process, cwd: '/', scheduler };
        },
      });
    const isBefore = (order: OpName[]): boolean => order.indexOf('cloneVisible') < order.indexOf('scheduler');
    expect(isBefore(scheduled('SCHED_DEADLINE'))).to.equal(true);
    expect(isBefore(scheduled('SCHED_BATCH', ['SCHED_FLAG_RESET_ON_FORK']))).to.equal(true);
    expect(isBefore(scheduled('SCHED_BATCH'))).to.equal(false);
  });

  it('leaves the number of processes of the user for last', () => {
    const order = tail({
      change: (config) => {
        const rlimits = [{ type: 'RLIMIT_NPROC', soft: 1, hard: 1 }];
        config.process = { ...config.process, cwd: '/', rlimits };
      },
    });
    expect(order.slice(-3)).to.deep.equal(['waitStart', 'rlimit', 'exec']);
  });

  it('is known to be of a privileged process where it is', () => {
    const isPrivileged = (given: Case): boolean =>
      isPrivilegedInSight({ ops: orderOf(given).map((op) => ({ op }) as Op) });
    expect(isPrivileged({})).to.equal(false);
    expect(isPrivileged({ program: permissive })).to.equal(false);
    expect(isPrivileged({ program: permissive, noNewPrivileges: false })).to.equal(false);
    expect(isPrivileged({ program: strict })).to.equal(true);
    expect(isPrivileged({ program: strict, noNewPrivileges: false })).to.equal(true);
    expect(isPrivileged({ program: permissive, notify: true })).to.equal(true);
  });

  it('is that of a privileged process only where it gives up something later', () => {
    const isPrivileged = (...order: OpName[]): boolean =>
      isPrivilegedInSight({ ops: order.map((op) => ({ op }) as Op) });
    expect(isPrivileged('cloneVisible', 'capabilities')).to.equal(true);
    expect(isPrivileged('cloneVisible', 'seccomp', 'exec')).to.equal(true);
    expect(isPrivileged('capabilities', 'seccomp', 'cloneVisible', 'exec')).to.equal(false);
    expect(isPrivileged('clone', 'exec', 'capabilities')).to.equal(false);
  });

  it('comes after a filter that denies prlimit(2) where no limit is set', () => {
    const order = (limited: boolean): OpName[] =>
      tail({
        program: exceptFor(calls.prlimit64, kill),
        change: ({ process: program }) => {
          if (!limited) delete program?.rlimits;
        },
      });
    const isAfter = (names: OpName[]): boolean => names.indexOf('seccomp') < names.indexOf('cloneVisible');
    expect(isAfter(order(false))).to.equal(process.arch === 'x64');
    expect(isAfter(order(true))).to.equal(false);
  });

  it('has no socket to tsrun where that has power over the host', () => {
    const joining = (facts: HostFacts, user: boolean): OpName[] =>
      names(
        planOf((config) => {
          const namespaces: NonNullable<Linux['namespaces']> = [
            { type: 'pid', path: '/ns/pid' },
            { type: 'mount' },
          ];
          if (user) namespaces.push({ type: 'user', path: '/ns/user' });
          config.linux = { namespaces };
          delete config.hostname;
        }, facts),
      );
    for (const user of [true, false]) {
      expect(joining(rootFacts(), user)).to.include('usePipes');
      // In a user namespace nobody can trace it, and the engine could not fetch a listener from it.
      expect(joining(userFacts(), user).includes('usePipes')).to.equal(!user);
    }
  });

  it('tells its pid to hooks that run after it', () => {
    const order = tail({ change: (config) => (config.hooks = { startContainer: [{ path: '/bin/h' }] }) });
    expect(order.slice(-6)).to.deep.equal([
      'cloneVisible',
      'newSession',
      'sync',
      'waitStart',
      'hook',
      'exec',
    ]);
  });
});
