import { expect } from 'chai';
import { difference } from './compare.ts';
import type { Outcome } from './judge.ts';

function outcome(verdict: Outcome['verdict'], ...complaints: string[]): Outcome {
  return { verdict, ok: 1, notOk: complaints.length, skipped: 0, complaints };
}

const blocked = { verdict: 'fail', complaints: ['leaf_weight'], reason: 'no CFQ' } as const;

describe('difference', () => {
  it('finds none when all is as expected', () => {
    expect(difference(outcome('pass'), { verdict: 'pass', complaints: [] })).to.equal(undefined);
    expect(difference(outcome('fail', 'write blkio.leaf_weight: no such file'), blocked)).to.equal(undefined);
  });

  it('finds a test that got worse, with what it complains about', () => {
    expect(difference(outcome('fail', 'too late'), { verdict: 'pass', complaints: [] })).to.equal(
      'pass was expected; too late',
    );
  });

  it('finds a test that got better', () => {
    expect(difference(outcome('pass'), blocked)).to.equal('fail was expected');
  });

  it('finds a failure for another reason', () => {
    expect(difference(outcome('fail', 'no such container'), blocked)).to.equal(
      'unexpected: no such container; no longer said: leaf_weight',
    );
  });

  it('takes any failure when no text is given', () => {
    expect(difference(outcome('fail', 'whatever'), { verdict: 'fail', reason: 'v2' })).to.equal(undefined);
  });

  it('accepts that a test with a race passes', () => {
    expect(difference(outcome('pass'), { ...blocked, mayPass: true })).to.equal(undefined);
    expect(difference(outcome('fail', 'wrong pid'), { ...blocked, mayPass: true })).not.to.equal(undefined);
  });

  it('finds a test nobody knows', () => {
    expect(difference(outcome('pass'), undefined)).to.equal('nobody expects this test');
  });
});
