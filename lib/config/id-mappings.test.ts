import { expect } from 'chai';
import { hostId } from './id-mappings.ts';

describe('an id of a user namespace', () => {
  const mappings = [
    { containerID: 0, hostID: 100_000, size: 10 },
    { containerID: 50, hostID: 7, size: 2 },
  ];

  it('stands for one of the host', () => {
    for (const [id, host] of [
      [0, 100_000],
      [9, 100_009],
      [50, 7],
      [51, 8],
    ] as const)
      expect(hostId(mappings, id)).to.equal(host);
  });

  it('stands for none where the mappings have it not', () => {
    for (const id of [10, 49, 52]) expect(hostId(mappings, id)).to.equal(undefined);
    expect(hostId([], 0)).to.equal(undefined);
  });
});
