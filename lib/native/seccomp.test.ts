import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { seccompKnowsFlags } from './seccomp.ts';

/** SECCOMP_FILTER_FLAG_LOG, and a bit that no kernel has a meaning for. */
const log = 1 << 1;
const unknown = 1 << 30;

/** How many filters this process has. */
function filters(): string | undefined {
  return /^Seccomp_filters:\s*(\d+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
}

describe('flags of seccomp', () => {
  it('are known or not, and asking loads no filter', () => {
    const before = filters();
    expect(seccompKnowsFlags(log)).to.equal(true);
    expect(seccompKnowsFlags(log | unknown)).to.equal(false);
    expect(filters()).to.equal(before);
  });
});
