import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { numberMask } from '../../lib/config/number-list.ts';
import type { Message } from '../../lib/engine/message-packet.ts';
import { clone, errno, errorOf, fields, outputOf, program, scratch, setup, shell } from './testing/ops.ts';
import type { TestOp } from './testing/plan.ts';

/** SCHED_* and SCHED_FLAG_* of linux/sched.h. */
const policies = { other: 0, fifo: 1, batch: 3, idle: 5, deadline: 6 };
const resetOnFork = 1;

type Scheduler = Extract<TestOp, { op: 'scheduler' }>;

function scheduler(change: Partial<Scheduler> = {}): TestOp {
  const plain = { policy: 0, flags: 0, nice: 0, priority: 0, runtime: 0, deadline: 0, period: 0 };
  return { ...plain, ...change, op: 'scheduler' };
}

function mask(list: string): Uint8Array {
  const bytes = numberMask(list, 8192);
  if (bytes === undefined) throw new Error(list);
  return bytes;
}

/** What chrt(1) of util-linux says of the program. */
function chrt(change: Partial<Scheduler>): string {
  return outputOf([clone(), scheduler(change), ...shell('chrt -p $$')]);
}

describe('init: scheduling', () => {
  scratch();

  it('sets a policy and its priority', () => {
    const text = chrt({ policy: policies.fifo, priority: 7, flags: resetOnFork });
    expect(text).to.match(/scheduling policy: SCHED_FIFO\|SCHED_RESET_ON_FORK\n/);
    expect(text).to.match(/scheduling priority: 7\n/);
    expect(chrt({ policy: policies.idle })).to.match(/SCHED_IDLE/);
  });

  it('sets the niceness of ordinary policies', () => {
    const nice = (value: number): string =>
      outputOf([clone(), scheduler({ policy: policies.batch, nice: value }), ...shell('nice')]);
    expect(nice(11)).to.equal('11\n');
    expect(nice(-5)).to.equal('-5\n');
  });

  it('sets the times of SCHED_DEADLINE', () => {
    const text = chrt({
      policy: policies.deadline,
      // Its children, chrt among them, are ordinary processes then; without it they could not be made.
      flags: resetOnFork,
      runtime: 1_000_000,
      deadline: 20_000_000,
      period: 30_000_000,
    });
    expect(text).to.match(/SCHED_DEADLINE/);
    expect(text).to.match(/1000000\/20000000\/30000000/);
  });

  it('reports a scheduler that the kernel refuses', () => {
    const error = errorOf([clone(), scheduler({ policy: policies.fifo }), ...shell('true')]);
    expect([error.op, error.errno, error.detail]).to.deep.equal([1, errno.EINVAL, 'sched_setattr']);
  });

  it('sets the CPUs it may run on', () => {
    const cpus = (...masks: Uint8Array[]): string | undefined =>
      fields(
        outputOf([
          clone(),
          ...masks.map((bytes): TestOp => ({ op: 'affinity', cpus: bytes })),
          ...program(['cat', '/proc/self/status']),
        ]),
      ).get('Cpus_allowed_list');
    const all = fields(readFileSync('/proc/self/status', 'utf8')).get('Cpus_allowed_list');
    expect(cpus(mask('0'))).to.equal('0');
    // An empty mask stands for all CPUs, and a longer one for those there are.
    expect(cpus(mask('0'), new Uint8Array())).to.equal(all);
    expect(cpus(mask('0'), new Uint8Array(1024).fill(0xff))).to.equal(all);
  });

  it('refuses CPUs that no kernel has', () => {
    const refused = (cpus: Uint8Array): Message =>
      errorOf([clone(), { op: 'affinity', cpus }, ...shell('true')]);
    expect(refused(new Uint8Array(1025))).to.include({
      errno: errno.E2BIG,
      detail: 'more CPUs than a mask can hold',
    });
    expect(refused(mask('8000'))).to.include({ errno: errno.EINVAL, detail: 'sched_setaffinity' });
  });

  it('sets the I/O priority', () => {
    const text = outputOf([clone(), { op: 'ioPriority', ioClass: 2, priority: 6 }, ...shell('ionice -p $$')]);
    expect(text).to.equal('best-effort: prio 6\n');
    const idle = outputOf([clone(), { op: 'ioPriority', ioClass: 3, priority: 0 }, ...shell('ionice -p $$')]);
    expect(idle).to.equal('idle\n');
  });

  it('refuses an I/O priority that has no room in its number', () => {
    for (const op of [
      { ioClass: 8, priority: 0 },
      { ioClass: 2, priority: 8192 },
    ]) {
      const error = errorOf([clone(), { op: 'ioPriority', ...op }, ...shell('true')]);
      expect(error.errno).to.equal(errno.EINVAL);
    }
  });

  it('has the personality of the plan', () => {
    const text = outputOf([clone(), { op: 'personality', persona: 8 }, ...program(['uname', '-m'])]);
    expect(text).to.match(/^i?[3-6]86\n|^armv[78]l\n/);
    expect(outputOf([clone(), { op: 'personality', persona: 0 }, ...program(['uname', '-m'])])).to.not.equal(
      text,
    );
  });

  it('has the memory policy of the plan', () => {
    const policy = (mode: number, nodes: string): string =>
      outputOf([
        clone(),
        setup,
        { op: 'memoryPolicy', mode, nodes: mask(nodes) },
        ...program(['cat', '/proc/self/numa_maps']),
      ]);
    // MPOL_BIND and MPOL_INTERLEAVE with MPOL_F_STATIC_NODES, MPOL_DEFAULT.
    expect(policy(2, '0')).to.match(/^\w+ bind:0 /m);
    expect(policy(3 | (1 << 15), '0')).to.match(/^\w+ interleave=static:0 /m);
    expect(policy(0, '')).to.match(/^\w+ default /m);
  });

  it('refuses memory nodes that are not there', () => {
    const error = errorOf([clone(), { op: 'memoryPolicy', mode: 2, nodes: mask('1000') }, ...shell('true')]);
    expect([error.errno, error.detail]).to.deep.equal([errno.EINVAL, 'set_mempolicy']);
  });
});
