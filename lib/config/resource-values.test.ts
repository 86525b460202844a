import { expect } from 'chai';
import { accessLetters, isHugePageSize, isUnsetSwappiness } from './resource-values.ts';

describe('values of the resources', () => {
  it('are sizes of huge pages as the kernel names them', () => {
    for (const size of ['64KB', '2MB', '1GB', '16TB', '1PB', '10EB'])
      expect(isHugePageSize(size), size).to.equal(true);
    for (const size of ['2M', '02MB', '0KB', '2MiB', 'MB', '2MB ', ' 2MB', '2B'])
      expect(isHugePageSize(size), size).to.equal(false);
  });

  it('are a swappiness that nobody asked for, or one', () => {
    expect(isUnsetSwappiness(0xffff_ffff_ffff_ffffn)).to.equal(true);
    for (const value of [0, 60, 100, 0xffff_ffff_ffff_fffen])
      expect(isUnsetSwappiness(value)).to.equal(false);
  });

  it('are the letters of an access, each once and in one order', () => {
    for (const [access, letters] of [
      ['mwr', 'rwm'],
      ['rr', 'r'],
      ['rwa', 'rw'],
      ['a', ''],
      ['', ''],
      ['m', 'm'],
    ] as const)
      expect(accessLetters(access)).to.equal(letters);
  });
});
