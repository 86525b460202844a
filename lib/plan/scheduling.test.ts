import { expect } from 'chai';
import { TsrunError } from '../core/error.ts';
import type { Config, Linux, Process } from '../config/types.ts';
import { execAffinity } from './scheduling.ts';
import { planOf } from './testing/fixtures.ts';
import type { Op } from './wire.ts';

function opsAt(pointer: string, change: (config: Config) => unknown): Op[] {
  return planOf(change).ops.filter(({ origin }) => origin === pointer);
}

const processSpec = (given: Partial<Process>): ((config: Config) => unknown) => {
  return (config) => (config.process = { ...config.process, cwd: '/', ...given });
};

const linux = (given: Partial<Linux>): ((config: Config) => unknown) => {
  return (config) => (config.linux = { ...config.linux, ...given });
};

const bytes = (...words: bigint[]): Uint8Array => new Uint8Array(BigUint64Array.from(words).buffer);

describe('scheduling in a plan', () => {
  it('has the scheduler', () => {
    const origin = '/process/scheduler';
    expect(opsAt(origin, processSpec({ scheduler: { policy: 'SCHED_OTHER' } }))).to.deep.equal([
      {
        op: 'scheduler',
        origin,
        policy: 0,
        flags: 0,
        nice: 0,
        priority: 0,
        runtime: 0,
        deadline: 0,
        period: 0,
      },
    ]);
    const scheduler = {
      policy: 'SCHED_DEADLINE',
      nice: -3,
      flags: ['SCHED_FLAG_RESET_ON_FORK', 'SCHED_FLAG_RECLAIM', 'SCHED_FLAG_UTIL_CLAMP_MAX'],
      runtime: 1024n,
      deadline: 9007199254740993n,
      period: 18446744073709551615n,
    };
    expect(opsAt(origin, processSpec({ scheduler }))[0]).to.deep.include({
      policy: 6,
      nice: -3,
      flags: 0x43,
      runtime: 1024n,
      deadline: 9007199254740993n,
      period: 18446744073709551615n,
    });
  });

  it('has the I/O priority', () => {
    const origin = '/process/ioPriority';
    const ioPriority = { class: 'IOPRIO_CLASS_RT', priority: 3 };
    expect(opsAt(origin, processSpec({ ioPriority }))).to.deep.equal([
      { op: 'ioPriority', origin, ioClass: 1, priority: 3 },
    ]);
    expect(opsAt(origin, processSpec({ ioPriority: { class: 'IOPRIO_CLASS_IDLE' } }))).to.deep.equal([
      { op: 'ioPriority', origin, ioClass: 3, priority: 0 },
    ]);
  });

  it('has the memory policy', () => {
    const origin = '/linux/memoryPolicy';
    const memoryPolicy = {
      mode: 'MPOL_INTERLEAVE',
      nodes: '0-1, 63-64,1023',
      flags: ['MPOL_F_STATIC_NODES'],
    };
    const words = new Array<bigint>(16).fill(0n);
    [words[0], words[1], words[15]] = [(1n << 63n) | 3n, 1n, 1n << 63n];
    expect(opsAt(origin, linux({ memoryPolicy }))).to.deep.equal([
      { op: 'memoryPolicy', origin, mode: 3 | (1 << 15), nodes: bytes(...words) },
    ]);
    expect(opsAt(origin, linux({ memoryPolicy: { mode: 'MPOL_LOCAL', nodes: '' } }))).to.deep.equal([
      { op: 'memoryPolicy', origin, mode: 4, nodes: new Uint8Array() },
    ]);
  });

  it('has the personality', () => {
    const origin = '/linux/personality';
    expect(opsAt(origin, linux({ personality: { domain: 'LINUX32' } }))).to.deep.equal([
      { op: 'personality', origin, persona: 8 },
    ]);
  });

  it('refuses words and numbers nobody knows', () => {
    const cases: [(config: Config) => unknown, string][] = [
      [processSpec({ scheduler: { policy: 'SCHED_FAIR' } }), '/process/scheduler/policy'],
      [processSpec({ scheduler: { policy: 'SCHED_OTHER', flags: ['X'] } }), '/process/scheduler/flags/0'],
      [processSpec({ ioPriority: { class: 'X' } }), '/process/ioPriority/class'],
      [linux({ memoryPolicy: { mode: 'X' } }), '/linux/memoryPolicy/mode'],
      [linux({ memoryPolicy: { mode: 'MPOL_BIND', nodes: '1024' } }), '/linux/memoryPolicy/nodes'],
      [linux({ memoryPolicy: { mode: 'MPOL_BIND', nodes: 'all' } }), '/linux/memoryPolicy/nodes'],
      [linux({ memoryPolicy: { mode: 'MPOL_BIND', flags: ['', 'X'] } }), '/linux/memoryPolicy/flags/0'],
      [linux({ personality: { domain: 'constructor' } }), '/linux/personality/domain'],
    ];
    for (const [change, pointer] of cases) {
      expect(() => planOf(change), pointer)
        .to.throw(TsrunError)
        .with.property('pointer', pointer);
    }
  });
});

describe('CPUs of a process', () => {
  it('are one operation for each moment that names some', () => {
    const processSpec = { cwd: '/', execCPUAffinity: { initial: '0-1', final: '8' } };
    expect(execAffinity(processSpec, 'initial')).to.deep.equal([
      {
        op: 'affinity',
        origin: '/process/execCPUAffinity/initial',
        cpus: Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0),
      },
    ]);
    expect(execAffinity(processSpec, 'final')).to.deep.equal([
      {
        op: 'affinity',
        origin: '/process/execCPUAffinity/final',
        cpus: Uint8Array.of(0, 1, 0, 0, 0, 0, 0, 0),
      },
    ]);
  });

  it('are left alone without a list, and with an empty one', () => {
    expect(execAffinity({ cwd: '/' }, 'initial')).to.deep.equal([]);
    expect(execAffinity({ cwd: '/', execCPUAffinity: { final: '1' } }, 'initial')).to.deep.equal([]);
    expect(execAffinity({ cwd: '/', execCPUAffinity: { initial: '' } }, 'initial')).to.deep.equal([]);
  });

  it('are refused when they are no list, or beyond what any kernel knows', () => {
    for (const final of ['a', '0-', '3-1', '8192', ' ']) {
      expect(() => planOf(processSpec({ execCPUAffinity: { final } })))
        .to.throw(
          TsrunError,
          final === '8192' ? 'no CPU has a number above 8191' : 'must be a list like 0-3,7',
        )
        .with.property('pointer', '/process/execCPUAffinity/final');
    }
    expect(execAffinity({ cwd: '/', execCPUAffinity: { final: '8191' } }, 'final')).to.have.length(1);
  });
});
