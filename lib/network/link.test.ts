import { expect } from 'chai';
import { decodeLink, encodeLinkChange, encodeLinkQuery } from './link.ts';
import { decodeAttributes, stringOf } from './netlink-message.ts';

describe('network devices in netlink', () => {
  it('are asked for by name or number', () => {
    expect(decodeLink(encodeLinkQuery({ name: 'eth0' }))).to.deep.equal({
      index: 0,
      name: 'eth0',
      up: false,
    });
    expect(decodeLink(encodeLinkQuery({ index: 7 }))).to.deep.equal({ index: 7, name: '', up: false });
  });

  it('are changed in nothing but what was asked for', () => {
    const up = encodeLinkChange({ index: 3, up: true });
    // ifi_flags and ifi_change: IFF_UP alone.
    expect([up.readUInt32LE(8), up.readUInt32LE(12)]).to.deep.equal([1, 1]);
    const moved = encodeLinkChange({ index: 3, namespace: 11, name: 'eth0' });
    expect([moved.readUInt32LE(8), moved.readUInt32LE(12)]).to.deep.equal([0, 0]);
    const attributes = decodeAttributes(moved.subarray(16));
    expect(attributes.get(28)?.readUInt32LE()).to.equal(11);
    expect(stringOf(attributes.get(3))).to.equal('eth0');
  });
});
