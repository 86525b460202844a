import { expect } from 'chai';
import { parseNetworkStats } from './network-stats.ts';

const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:      84       1    0    0    0     0          0         0       84       1    0    0    0     0       0          0
  eth0: 18446744073709551615 20 3 4    5     6          7         8      100      11   12   13    1     2       3          4
br:1:      5       6    7    8    9    10         11        12       13      14   15   16    1     2       3          4
`;

describe('statistics of network interfaces', () => {
  it('have what each interface received and sent', () => {
    const [lo, eth0, odd, ...others] = parseNetworkStats(text);
    expect(lo?.name).to.equal('lo');
    expect(eth0).to.deep.equal({
      name: 'eth0',
      received: { bytes: 18_446_744_073_709_551_615n, packets: 20n, errors: 3n, dropped: 4n },
      sent: { bytes: 100n, packets: 11n, errors: 12n, dropped: 13n },
    });
    expect(odd?.name).to.equal('br:1');
    expect(others).to.deep.equal([]);
  });

  it('are empty without interfaces', () => {
    expect(parseNetworkStats('')).to.deep.equal([]);
  });
});
