import { expect } from 'chai';
import { writeJson } from './write.ts';

describe('writeJson', () => {
  it('writes what JSON.stringify does', () => {
    for (const value of [null, true, 'a"\u2028\n', 1.5, [], {}, [1, ['x']], { 'a b': { c: [null] } }]) {
      expect(writeJson(value)).to.equal(JSON.stringify(value));
    }
  });

  it('writes 64-bit integers exactly, and leaves out what is undefined', () => {
    expect(writeJson({ limit: 18_446_744_073_709_551_615n, gone: undefined, list: [1n, 2] })).to.equal(
      '{"limit":18446744073709551615,"list":[1,2]}',
    );
  });
});
