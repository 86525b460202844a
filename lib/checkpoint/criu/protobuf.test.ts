import { expect } from 'chai';
import { decodeMessage, encodeMessage, type Table } from './protobuf.ts';

const table = {
  id: [1, 'integer'],
  on: [4, 'boolean'],
  name: [20, 'string'],
  pairs: [2, { key: [1, 'string'] }, 'repeated'],
} as const satisfies Table;

describe('a protobuf message', () => {
  it('is encoded as in the documentation of protobuf', () => {
    expect(encodeMessage(table, { id: 150 }).toString('hex')).to.equal('089601');
    expect(encodeMessage(table, { name: 'testing' }).toString('hex')).to.equal('a2010774657374696e67');
    expect(encodeMessage(table, { id: -1 }).toString('hex')).to.equal('08ffffffffffffffffff01');
  });

  it('is the same after it was encoded and decoded', () => {
    const values = { id: -42, on: true, name: 'ä', pairs: [{ key: 'a' }, { key: '' }] };
    expect(decodeMessage(table, encodeMessage(table, values))).to.deep.equal(values);
    expect(decodeMessage(table, encodeMessage(table, { on: undefined }))).to.deep.equal({});
  });

  it('is decoded without the fields that are not in the table', () => {
    expect(
      decodeMessage({ on: table.on }, encodeMessage(table, { id: 7, on: false, name: 'x' })),
    ).to.deep.equal({
      on: false,
    });
  });

  it('is refused when it is malformed', () => {
    for (const hex of ['08', '0880', 'a20105', '0b', '08ffffffffffffffffffffff01', '0a0161']) {
      expect(() => decodeMessage(table, Buffer.from(hex, 'hex')), hex).to.throw(/malformed message/);
    }
  });
});
