import { expect } from 'chai';
import { addressText, decodeAddress, encodeAddress, isKept } from './address.ts';
import { attribute, numberAttribute, stringAttribute } from './netlink-message.ts';

const local4 = Buffer.from([10, 9, 0, 1]);

/** An entry of the kernel's list: struct ifaddrmsg and attributes. */
function entry(
  { family = 2, prefix = 24, flags = 0x80, scope = 0, index = 4 },
  ...attributes: Buffer[]
): Buffer {
  return Buffer.concat([Buffer.from([family, prefix, flags & 0xff, scope, index, 0, 0, 0]), ...attributes]);
}

describe('addresses of network devices', () => {
  it('are kept when they are permanent and global', () => {
    const kept = (parts: Parameters<typeof entry>[0], ...more: Buffer[]): boolean =>
      isKept(decodeAddress(entry(parts, ...more)));
    expect(kept({})).to.equal(true);
    expect(kept({ flags: 0x00 })).to.equal(false);
    expect(kept({ scope: 253 })).to.equal(false);
    // IFA_FLAGS has the whole of what the header has eight bits of.
    expect(kept({ flags: 0 }, numberAttribute(8, 0x280))).to.equal(true);
  });

  it('are given again with what was asked for, not with what became of it', () => {
    // NOPREFIXROUTE | PERMANENT | TENTATIVE | SECONDARY
    const flags = numberAttribute(8, 0x200 | 0x80 | 0x40 | 0x01);
    const broadcast = attribute(4, Buffer.from([10, 9, 0, 255]));
    // IFA_PROTO
    const unknown = attribute(11, Buffer.from([2]));
    const address = decodeAddress(entry({ flags: 0xc1 }, attribute(2, local4), broadcast, flags, unknown));
    const again = decodeAddress(encodeAddress(address, 9, 'eth0', 'eth0'));
    expect(again).to.include({ index: 9, family: 2, prefixLength: 24, scope: 0, flags: 0x280 });
    expect([...again.values.keys()]).to.deep.equal([2, 4]);
    expect(again.values).to.deep.equal(address.values);
  });

  it('have a label that follows the name of the device', () => {
    const label = (old: string, newName: string): string =>
      decodeAddress(
        encodeAddress(
          decodeAddress(entry({}, attribute(2, local4), stringAttribute(3, old))),
          1,
          'eth0',
          newName,
        ),
      ).label;
    expect(label('eth0:web', 'net0')).to.equal('net0:web');
    expect(label('other', 'net0')).to.equal('other');
    // The kernel's own choice: the name of the device.
    expect(label('eth0', 'net0')).to.equal('');
    expect(label('eth0:web', 'fifteen-bytes-x')).to.equal('');
  });

  it('are shown as people write them', () => {
    const six = Buffer.from('20010db8000000000000000000000007', 'hex');
    expect(addressText(decodeAddress(entry({}, attribute(2, local4))))).to.equal('10.9.0.1/24');
    expect(addressText(decodeAddress(entry({ family: 10, prefix: 64 }, attribute(1, six))))).to.equal(
      '2001:db8:0:0:0:0:0:7/64',
    );
  });
});
