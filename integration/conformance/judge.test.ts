import { expect } from 'chai';
import { judge } from './judge.ts';

const ended = { status: 0, stderr: '', timedOut: false };

describe('judge', () => {
  it('passes a test that kept its plan', () => {
    const stdout = 'ok 1 - a\nok 2 # SKIP b\n1..2\n';
    expect(judge({ ...ended, stdout })).to.deep.equal({
      verdict: 'pass',
      ok: 1,
      notOk: 0,
      skipped: 1,
      complaints: [],
    });
  });

  it('names each failed assertion once', () => {
    const stdout = 'not ok 1 - limit\nok 2 - swap\nnot ok 3 - limit\n1..3\n';
    expect(judge({ ...ended, stdout })).to.deep.equal({
      verdict: 'fail',
      ok: 1,
      notOk: 2,
      skipped: 0,
      complaints: ['limit'],
    });
  });

  it('calls a test weak that asserted nothing, and keeps what it said', () => {
    const stdout =
      'TAP version 13\n  ---\n  {"error": "late\\nand wrong\\nRefer to: https://x.y/z#a"}\n  ...\n1..0\n';
    expect(judge({ ...ended, stdout })).to.deep.equal({
      verdict: 'weak',
      ok: 0,
      notOk: 0,
      skipped: 0,
      complaints: ['late; and wrong'],
    });
  });

  it('fails a test that broke off, although it ended well', () => {
    expect(judge({ ...ended, stdout: 'ok 1 - a\n' })).to.deep.include({
      verdict: 'fail',
      complaints: ['it broke off after 1 assertions'],
    });
  });

  it('fails a test that did less than it planned', () => {
    expect(judge({ ...ended, stdout: 'ok 1 - a\n1..2\n' })).to.deep.include({
      verdict: 'fail',
      complaints: ['1 of 2 assertions'],
    });
  });

  it('fails a test by its exit status, with what it said', () => {
    expect(
      judge({ ...ended, status: 1, stdout: 'ok 1 - a\n1..1\n', stderr: 'no\nbundle\n' }),
    ).to.deep.include({
      verdict: 'fail',
      complaints: ['exit status 1', 'no', 'bundle'],
    });
  });

  it('adds what the runtime said, without the frame of the suite', () => {
    const stderr = 'failed to create the container\ntsrun create failed: no hugetlb\nexit status 1\n';
    expect(judge({ ...ended, stdout: 'not ok 1 - limit\n1..1\n', stderr }).complaints).to.deep.equal([
      'limit',
      'tsrun create failed: no hugetlb',
    ]);
  });

  it('takes no notice of what was said in a test that passed', () => {
    const stderr = 'tsrun create failed: a symbolic link\n';
    expect(judge({ ...ended, stdout: 'ok 1 - refused\n1..1\n', stderr }).complaints).to.deep.equal([]);
  });

  it('fails a test that had to be killed', () => {
    expect(judge({ status: 137, stdout: '', stderr: '', timedOut: true })).to.deep.include({
      verdict: 'fail',
      complaints: ['it did not end in time'],
    });
  });
});
