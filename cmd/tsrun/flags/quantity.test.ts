import { expect } from 'chai';
import { TsrunError } from '../../../lib/core/error.ts';
import { parseInteger, parseSize } from './quantity.ts';

function refusal(step: () => unknown): string {
  try {
    step();
  } catch (error) {
    if (error instanceof TsrunError && error.code === 'usage') return error.message;
    throw error;
  }
  throw new Error('it was taken');
}

describe('quantities of a command line', () => {
  it('reads sizes with their units', () => {
    const sizes: [string, number | bigint][] = [
      ['0', 0],
      ['4096', 4096],
      ['4096b', 4096],
      ['1k', 1024],
      ['1K', 1024],
      ['64 kB', 65_536],
      ['512m', 536_870_912],
      ['512MiB', 536_870_912],
      ['1.5g', 1_610_612_736],
      ['0.5k', 512],
      ['2t', 2_199_023_255_552],
      ['1p', 1_125_899_906_842_624],
      ['9223372036854775807', 9_223_372_036_854_775_807n],
      ['-1', -1],
    ];
    for (const [text, bytes] of sizes) expect(parseSize('--memory', text), text).to.equal(bytes);
  });

  it('names the flag of what is no size', () => {
    for (const text of ['', 'x', '-2', '1e3', '0x10', '1q', '1..5k', '.5k', '1  k', '5 %', ' 1', '１']) {
      expect(
        refusal(() => parseSize('--memory', text)),
        text,
      ).to.contain('--memory');
    }
    for (const text of ['9000p', '9223372036854775808', '8192p', '9007199254740992k']) {
      expect(
        refusal(() => parseSize('--memory', text)),
        text,
      ).to.contain('2^63-1');
    }
    expect(parseSize('--memory', '8191p')).to.equal(8191n << 50n);
  });

  it('reads integers exactly, within their bounds', () => {
    const bounds = [-1n, (1n << 64n) - 1n] as const;
    expect(parseInteger('-x', '-1', bounds)).to.equal(-1);
    expect(parseInteger('-x', '+7', bounds)).to.equal(7);
    expect(parseInteger('-x', '18446744073709551615', bounds)).to.equal(18_446_744_073_709_551_615n);
    for (const text of ['-2', '18446744073709551616', '1.5', '', '1k', 'NaN', '9'.repeat(41)]) {
      expect(
        refusal(() => parseInteger('--cpu-period', text, bounds)),
        text,
      ).to.contain('--cpu-period');
    }
  });
});
