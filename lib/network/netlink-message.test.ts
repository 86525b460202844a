import { expect } from 'chai';
import { TsrunError } from '../core/error.ts';
import {
  attribute,
  decodeAttributes,
  decodeError,
  decodeMessages,
  encodeMessage,
  messageFlags,
  numberAttribute,
  stringAttribute,
  stringOf,
} from './netlink-message.ts';

const header = { type: 2, flags: 0, sequence: 7 };

/** The answer to a failed request: -errno, the header of the request, perhaps attributes. */
function failure(errno: number, ...attributes: Buffer[]): Buffer {
  const number = Buffer.alloc(4);
  number.writeInt32LE(-errno);
  return Buffer.concat([number, Buffer.alloc(16), ...attributes]);
}

describe('netlink messages', () => {
  it('are read as they were written, several in a packet', () => {
    const messages = [
      { ...header, body: Buffer.from('odd') },
      { type: 18, flags: 0x305, sequence: 0xffffffff, body: Buffer.alloc(0) },
      { type: 3, flags: 2, sequence: 1, body: Buffer.from('four') },
    ];
    expect(decodeMessages(Buffer.concat(messages.map(encodeMessage)))).to.deep.equal(messages);
    expect(encodeMessage({ ...header, body: Buffer.from('odd') })).to.have.length(20);
  });

  it('with a length that leads out of the packet are refused', () => {
    const good = encodeMessage({ ...header, body: Buffer.from('four') });
    for (const length of [0, 15, 21, 0xffffffff]) {
      const bad = Buffer.from(good);
      bad.writeUInt32LE(length);
      expect(() => decodeMessages(bad), String(length)).to.throw(TsrunError, 'malformed');
    }
    expect(() => decodeMessages(good.subarray(0, 12))).to.throw(TsrunError, 'malformed');
    expect(() => decodeError({ ...header, body: Buffer.alloc(3) })).to.throw(TsrunError, 'malformed');
  });

  it('have attributes, padded to four bytes', () => {
    const bytes = Buffer.concat([
      stringAttribute(3, 'eth0'),
      numberAttribute(28, 5),
      attribute(9, Buffer.from('x')),
    ]);
    expect(bytes.length % 4).to.equal(0);
    const found = decodeAttributes(bytes);
    expect(stringOf(found.get(3))).to.equal('eth0');
    expect(found.get(28)?.readUInt32LE()).to.equal(5);
    expect(found.get(9)).to.deep.equal(Buffer.from('x'));
    expect(stringOf(found.get(4))).to.equal('');
  });

  it('have attributes whose flags are no part of the type', () => {
    expect([...decodeAttributes(attribute(0x8000 | 12, Buffer.from('x'))).keys()]).to.deep.equal([12]);
  });

  it('with an attribute that leads out of them are refused', () => {
    for (const length of [0, 3, 13]) {
      const bad = stringAttribute(3, 'eth0');
      bad.writeUInt16LE(length);
      expect(() => decodeAttributes(bad), String(length)).to.throw(TsrunError, 'malformed');
    }
  });

  it('tell an errno, and the words of the kernel when there are some', () => {
    expect(decodeError({ ...header, body: failure(0) })).to.deep.equal({ errno: 0, text: '' });
    expect(decodeError({ ...header, body: failure(19) })).to.deep.equal({ errno: 19, text: '' });
    const body = failure(22, stringAttribute(1, 'Device is local'));
    expect(decodeError({ ...header, flags: messageFlags.ackAttributes, body })).to.deep.equal({
      errno: 22,
      text: 'Device is local',
    });
  });
});
