import { expect } from 'chai';
import { decodeMessage, encodeMessage } from './protobuf.ts';
import type { Table } from './protobuf.ts';

const table = {
  id: { number: 1, type: 'integer' },
  on: { number: 4, type: 'boolean' },
  name: { number: 20, type: 'string' },
  pairs: { number: 2, type: { key: { number: 1, type: 'string' } }, repeated: true },
} as const satisfies Table;

describe('the protobuf encoding', () => {
  it('is that of the documentation', () => {
    expect(encodeMessage(table, { id: 150 }).toString('hex')).to.equal('089601');
    expect(encodeMessage(table, { name: 'testing' }).toString('hex')).to.equal('a2010774657374696e67');
    expect(encodeMessage(table, { id: -1 }).toString('hex')).to.equal('08ffffffffffffffffff01');
  });

  it('comes back as it was', () => {
    const values = { id: -42, on: true, name: 'ä', pairs: [{ key: 'a' }, { key: '' }] };
    expect(decodeMessage(table, encodeMessage(table, values))).to.deep.equal(values);
    expect(decodeMessage(table, encodeMessage(table, { on: undefined }))).to.deep.equal({});
  });

  it('passes over what it does not know', () => {
    expect(
      decodeMessage({ on: table.on }, encodeMessage(table, { id: 7, on: false, name: 'x' })),
    ).to.deep.equal({
      on: false,
    });
  });

  it('refuses what is no message', () => {
    for (const hex of ['08', '0880', 'a20105', '0b', '08ffffffffffffffffffffff01', '0a0161']) {
      expect(() => decodeMessage(table, Buffer.from(hex, 'hex')), hex).to.throw(/no message/);
    }
  });
});
