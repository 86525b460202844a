import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { writePidFile } from './pid-file.ts';

describe('pid file', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsrun-pid-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('has the digits alone, and nothing is left beside it', () => {
    writePidFile(join(folder, 'c1.pid'), 4711);
    expect(readFileSync(join(folder, 'c1.pid'), 'latin1')).to.equal('4711');
    expect(readdirSync(folder)).to.deep.equal(['c1.pid']);
  });

  it('replaces an older one, also what a killed tsrun has left', () => {
    writeFileSync(join(folder, 'c1.pid'), '1234567');
    writeFileSync(join(folder, '.c1.pid'), '99');
    writePidFile(join(folder, 'c1.pid'), 7);
    expect(readFileSync(join(folder, 'c1.pid'), 'latin1')).to.equal('7');
    expect(readdirSync(folder)).to.deep.equal(['c1.pid']);
  });

  it('writes through no symbolic link', () => {
    const target = join(folder, 'target');
    writeFileSync(target, 'untouched');
    symlinkSync(target, join(folder, '.c1.pid'));
    symlinkSync(target, join(folder, 'c1.pid'));
    writePidFile(join(folder, 'c1.pid'), 7);
    expect(readFileSync(target, 'latin1')).to.equal('untouched');
    expect(readFileSync(join(folder, 'c1.pid'), 'latin1')).to.equal('7');
  });

  it('leaves nothing beside what it cannot replace', () => {
    const path = join(folder, 'c1.pid');
    mkdirSync(path);
    expect(() => {
      writePidFile(path, 7);
    }).to.throw(`write the pid file ${path}: is a directory`);
    expect(readdirSync(folder)).to.deep.equal(['c1.pid']);
  });

  it('says where it cannot be written', () => {
    const path = join(folder, 'missing/c1.pid');
    expect(() => {
      writePidFile(path, 7);
    }).to.throw(`write the pid file ${path}: no such file or directory`);
    expect(existsSync(path)).to.equal(false);
  });
});
