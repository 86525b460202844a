import { expect } from 'chai';
import { lastErrors } from './log.ts';

describe('the log of criu', () => {
  it('gives its last errors, without times and safe to print', () => {
    const lines = [1, 2, 3, 4, 5].map((n) => `(00.00${n})     1: Error (criu/a.c:${n}): went wrong`);
    expect(lastErrors(['(00.1) Warn  (criu/b.c:1): odd', ...lines].join('\n'))).to.deep.equal(
      [2, 3, 4, 5].map((n) => `(criu/a.c:${n}): went wrong`),
    );
    expect(lastErrors('Error (criu/c.c:1): \u001b[31mred')).to.deep.equal(['(criu/c.c:1): \\u001b[31mred']);
    expect(lastErrors('')).to.deep.equal([]);
  });
});
