import { expect } from 'chai';
import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFolders } from './filesystem.ts';

describe('makeFolders', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsrun-folders-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it('makes what is missing, and leaves what is there', () => {
    makeFolders(join(folder, 'a/b/c'), 0o700);
    makeFolders(join(folder, 'a/b/c'), 0o711);
    for (const name of ['a', 'a/b', 'a/b/c']) {
      expect(statSync(join(folder, name)).mode & 0o777, name).to.equal(0o700);
    }
    symlinkSync('a', join(folder, 'link'));
    makeFolders(join(folder, 'link/d'), 0o700);
    expect(statSync(join(folder, 'a/d')).isDirectory()).to.equal(true);
  });

  it('ends where no folder can be made', () => {
    expect(() => {
      makeFolders('/proc/nowhere/at/all', 0o700);
    }).to.throw('ENOENT');
    writeFileSync(join(folder, 'file'), '');
    symlinkSync('nothing', join(folder, 'dangling'));
    for (const [name, errno] of [
      ['file', 'EEXIST'],
      ['file/x/y', 'ENOTDIR'],
      ['dangling', 'EEXIST'],
      ['dangling/x', 'EEXIST'],
    ] as const) {
      expect(() => {
        makeFolders(join(folder, name), 0o700);
      }, name).to.throw(errno);
    }
  });
});
