import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { IdMapping, Linux } from '../config/types.ts';
import { missingHelper } from './write-id-maps.ts';

describe('id maps', () => {
  let empty: string;
  const path = process.env['PATH'];
  beforeEach(() => {
    empty = mkdtempSync(join(tmpdir(), 'tsrun-path-'));
    process.env['PATH'] = empty;
  });
  afterEach(() => {
    process.env['PATH'] = path;
    rmSync(empty, { recursive: true });
  });

  const own: IdMapping = { containerID: 0, hostID: 1000, size: 1 };
  const cases: [string, readonly IdMapping[], number, boolean][] = [
    ['the own id', [own], 1000, false],
    ['the own id, not as root', [{ ...own, containerID: 5 }], 1000, false],
    ['more than one id', [{ ...own, size: 2 }], 1000, true],
    ['somebody else’s id', [{ ...own, hostID: 1001 }], 1000, true],
    ['the own id and another one', [own, { containerID: 1, hostID: 100_000, size: 1 }], 1000, true],
    ['two ids, the own one last', [{ containerID: 1, hostID: 100_000, size: 1 }, own], 1000, true],
    ['any id, as root', [{ containerID: 0, hostID: 100_000, size: 65_536 }], 0, false],
  ];
  for (const [what, mappings, uid, needed] of cases) {
    it(`of ${what} ${needed ? 'take' : 'need no'} newuidmap and newgidmap`, () => {
      const linux: Linux = {
        namespaces: [{ type: 'user' }],
        uidMappings: [...mappings],
        gidMappings: [...mappings],
      };
      for (const kind of ['uid', 'gid'] as const) {
        const other = { uid: 1, gid: 1, privileged: false };
        const error = missingHelper(kind, linux, { ...other, uid: uid === 0 ? 0 : 1, [kind]: uid });
        if (needed) expect(error?.message).to.contain(`these ${kind} mappings need new${kind}map`);
        else expect(error).to.equal(undefined);
      }
    });
  }

  it('are none without a user namespace of its own', () => {
    const writer = { uid: 1000, gid: 1000, privileged: false };
    expect(missingHelper('uid', { uidMappings: [{ ...own, size: 2 }] }, writer)).to.equal(undefined);
  });
});
