import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { installation } from '../../lib/native/install.ts';
import type { Message } from '../../lib/engine/message-packet.ts';
import { noOp } from '../../lib/plan/wire.ts';
import { clone, errno, errorOf, newNs, outputOf, program, scratch, setup } from './testing/ops.ts';
import { encodePlan, type TestOp } from './testing/plan.ts';
import { runInit } from './testing/run.ts';

describe('init: a plan', () => {
  scratch();

  const good: TestOp[] = [
    { op: 'oomScoreAdj', value: 100 },
    clone(newNs.pid),
    setup,
    { op: 'home', uid: 4242 },
    { op: 'rlimit', resource: 4, soft: 0, hard: 0 },
    ...program(['true', 'argument'], ['A=1', 'B=2']),
  ];

  it('that is cut short anywhere is refused before anything is done', () => {
    const plan = encodePlan(good);
    for (let size = 0; size < plan.length; size += 7) {
      const message = errorOf(plan.subarray(0, size));
      expect(message.errno).to.equal(errno.EINVAL);
      expect(message.op).to.equal(noOp);
    }
  }).timeout(30_000);

  it('is refused with a wrong header or operation', () => {
    const refused = (change: (plan: Buffer) => Buffer): Message => errorOf(change(encodePlan(good)));
    const word = (at: number, value: number) => (plan: Buffer) => {
      plan.writeUInt32LE(value, at);
      return plan;
    };
    expect(refused(word(0, 1))).to.include({ op: noOp, detail: 'this is not a plan' });
    expect(refused(word(4, 99)).detail).to.contain('another version');
    expect(refused(word(8, 1)).detail).to.contain('not whole');
    expect(refused(word(12, 3)).detail).to.contain('after its last operation');
    expect(refused(word(12, 0xffffffff)).detail).to.contain('follows exec');
    expect(refused(word(16, 5)).detail).to.contain('slots');
    expect(refused(word(16, 4097)).detail).to.contain('slots');
    expect(refused(word(20, 4711))).to.include({ op: 0 });
    expect(refused(word(24, 0xffffffff)).detail).to.contain('ends before');
    expect(refused(word(24, 3)).detail).to.match(/garbled|does not know|ends before/);
    expect(errorOf([...good, ...good]).detail).to.contain('follows exec');
    expect(errorOf(good.slice(0, -1)).detail).to.contain('does not end with exec');
    expect(errorOf([clone(), clone(), ...program(['true'])])).to.include({
      op: 1,
      detail: 'the operation cannot run in this process',
    });
    expect(errorOf([{ op: 'newSession' }, clone(), ...program(['true'])])).to.include({ op: 0 });
    expect(errorOf([clone(), { op: 'hostname', name: 'a\0b' }, ...program(['true'])])).to.include({
      op: 1,
      detail: 'the operation is garbled',
    });
  });

  it('has no more slots than its header says', () => {
    const fill = (slot: number): TestOp[] => [
      { op: 'openCgroup', slot, path: '/dev/null' },
      { op: 'joinCgroup', slot },
      clone(),
      ...program(['true']),
    ];
    expect(outputOf(fill(9), { slotCount: 10 })).to.equal('');
    expect(errorOf(fill(10), { slotCount: 10 })).to.include({
      op: 0,
      errno: errno.EBADF,
      detail: 'there is no slot 10',
    });
    for (const slot of [9, 10, 4096]) {
      expect(errorOf(fill(slot).slice(1), { slotCount: 10 })).to.include({
        op: 0,
        errno: errno.EBADF,
        detail: `slot ${slot} is empty`,
      });
    }
    // A slot that is filled again closes what was in it.
    expect(outputOf([...fill(9).slice(0, 1), ...fill(9)], { slotCount: 10 })).to.equal('');
  });

  it('with bits of it changed never crashes the init', () => {
    // Nothing in it, or in what a changed byte makes of it, reaches out of the process.
    const plan = encodePlan(good);
    let seed = 12345;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % below;
    };
    for (let round = 0; round < 150; round++) {
      const mutant = Buffer.from(plan);
      for (let i = random(3); i >= 0; i--) mutant[random(mutant.length)] = random(256);
      const result = runInit({ plan: mutant });
      expect(result.status, `round ${String(round)}`).to.be.oneOf([0, 1]);
    }
  }).timeout(60_000);

  it('ends at once when it is not called by an engine', () => {
    expect(existsSync(installation().init)).to.equal(true);
    for (const args of [[], ['x'], ['2'], ['3', '4'], ['99999999999999999999'], ['-1'], ['500']]) {
      let status: unknown;
      try {
        execFileSync(installation().init, args, { stdio: 'ignore' });
      } catch (error) {
        status = (error as { status?: number }).status;
      }
      expect(status, args.join(' ')).to.be.oneOf([1, 2]);
    }
  });
});
