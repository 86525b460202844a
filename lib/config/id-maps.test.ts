import { expect } from 'chai';
import { hostId, type IdMaps, idMapText, parseIdmapOption } from './id-maps.ts';

describe('id maps', () => {
  const container: IdMaps = {
    uid: [
      { containerID: 0, hostID: 1000, size: 10 },
      { containerID: 20, hostID: 5000, size: 10 },
    ],
    gid: [{ containerID: 100, hostID: 7000, size: 5 }],
  };
  const parse = (text: string): IdMaps | string => parseIdmapOption(text, container);

  it('are written a line each', () => {
    expect(idMapText(undefined)).to.equal('');
    expect(idMapText(container.uid)).to.equal('0 1000 10\n20 5000 10\n');
  });

  it('are read from an option, in either order and with empty parts', () => {
    const maps = {
      uid: [
        { containerID: 0, hostID: 1, size: 2 },
        { containerID: 3, hostID: 4, size: 5 },
      ],
      gid: [{ containerID: 6, hostID: 4294967295, size: 8 }],
    };
    for (const text of ['uids=0-1-2#3-4-5;gids=6-4294967295-8', ';gids=6-4294967295-8;;uids=0-1-2#3-4-5;']) {
      expect(parse(text)).to.deep.equal(maps);
    }
  });

  it('go through the ids of the container after @, up to the ends of its ranges', () => {
    expect(parse('uids=@0-0-10#50-29-1#51-20-10;gids=@0-102-3')).to.deep.equal({
      uid: [
        { containerID: 0, hostID: 1000, size: 10 },
        { containerID: 50, hostID: 5009, size: 1 },
        { containerID: 51, hostID: 5000, size: 10 },
      ],
      gid: [{ containerID: 0, hostID: 7002, size: 3 }],
    });
  });

  it('are refused when they say nothing sure', () => {
    const cases: [string, string][] = [
      ['uids=@0-0-11;gids=0-0-1', "the container's user namespace maps no range with ids 0 to 10"],
      ['uids=@0-10-1;gids=0-0-1', "the container's user namespace maps no range with ids 10 to 10"],
      ['uids=0-0-1;gids=@0-99-2', "the container's user namespace maps no range with ids 99 to 100"],
      ['uids=0-0-1', 'needs both uids= and gids='],
      ['gids=0-0-1', 'needs both uids= and gids='],
      ['xuids=0-0-1;gids=0-0-1', '"xuids=0-0-1" is neither uids=… nor gids=…'],
      ['uids=;gids=0-0-1', '"uids=" is neither uids=… nor gids=…'],
      ['uids=a0-0-1;gids=0-0-1', '"a0-0-1" is not FIRST-FIRST-COUNT'],
      ['uids=0-0-1a;gids=0-0-1', '"0-0-1a" is not FIRST-FIRST-COUNT'],
      ['uids=0-0-1#;gids=0-0-1', '"" is not FIRST-FIRST-COUNT'],
      ['uids=0-0-1\n;gids=0-0-1', '"0-0-1\\n" is not FIRST-FIRST-COUNT'],
      ['uids=0-0-12345678901;gids=0-0-1', '"0-0-12345678901" is not FIRST-FIRST-COUNT'],
    ];
    for (const [text, message] of cases) {
      expect(parse(text)).to.equal(`idmap=${text}: ${message}`);
    }
  });
});

/** Two ranges, neither of which begins at 0. */
const ranges = [
  { containerID: 10, hostID: 1000, size: 5 },
  { containerID: 15, hostID: 3000, size: 5 },
];
const container: IdMaps = { uid: ranges, gid: [] };

describe('parseIdmapOption', () => {
  const uids = (triple: string): string => {
    const maps = parseIdmapOption(`uids=${triple};gids=0-0-1`, container);
    return typeof maps === 'string' ? maps : idMapText(maps.uid);
  };

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
      expect(uids(triple)).to.match(/maps no range with ids/);
    });
  }
});

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
