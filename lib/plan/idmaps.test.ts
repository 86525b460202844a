import { expect } from 'chai';
import { TsrunError } from '../errors.ts';
import type { IdMaps } from './idmaps.ts';
import { idMapText, parseIdmapOption } from './idmaps.ts';

/** Two ranges, neither of which begins at 0. */
const ranges = [
  { containerID: 10, hostID: 1000, size: 5 },
  { containerID: 15, hostID: 3000, size: 5 },
];
const container: IdMaps = { uid: ranges, gid: [] };

describe('parseIdmapOption', () => {
  const uids = (triple: string): string =>
    idMapText(parseIdmapOption(`uids=${triple};gids=0-0-1`, container, '/mounts/0/options').uid);

  for (const [triple, text] of [
    ['@7-10-1', '7 1000 1\n'],
    ['@7-10-5', '7 1000 5\n'],
    ['@7-12-3', '7 1002 3\n'],
    ['@7-14-1', '7 1004 1\n'],
    ['@7-15-5', '7 3000 5\n'],
    ['@7-19-1', '7 3004 1\n'],
    ['7-9-100', '7 9 100\n'],
  ] as const) {
    it(`takes ${triple}, through the container where it begins with @`, () => {
      expect(uids(triple)).to.equal(text);
    });
  }

  // Each reaches beyond the range it begins in, or begins in none.
  for (const triple of ['@0-9-1', '@0-9-2', '@0-10-6', '@0-14-2', '@0-15-6', '@0-20-1', '@0-0-30']) {
    it(`refuses ${triple}, which the container does not map as a whole`, () => {
      expect(() => uids(triple))
        .to.throw(TsrunError, /maps no range with ids/)
        .with.property('pointer', '/mounts/0/options');
    });
  }
});
