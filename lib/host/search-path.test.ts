import { expect } from 'chai';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram, searchPath } from './search-path.ts';
import { needRoot } from '../testing/skip.ts';

describe('findProgram', () => {
  let folder = '';
  let program = '';
  const path = process.env['PATH'];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsrun-path-'));
    program = join(folder, 'program-of-a-test');
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
    process.env['PATH'] = `/nowhere:${folder}`;
  });
  afterEach(() => {
    process.env['PATH'] = path;
    rmSync(folder, { recursive: true });
  });
  const find = (): string | undefined => findProgram('program-of-a-test');

  it('looks in absolute folders only, for what may be executed', () => {
    expect(find()).to.equal(program);
    process.env['PATH'] = `.:${folder.slice(1)}:`;
    expect(find()).to.equal(undefined);
    process.env['PATH'] = folder;
    chmodSync(program, 0o644);
    expect(find()).to.equal(undefined);
  });

  it('takes no folder that is relative, whatever is there', () => {
    const cwd = process.cwd();
    process.chdir(folder);
    try {
      for (const relative of ['.', '', './', '..//first', 'first/..', '~']) {
        process.env['PATH'] = relative;
        expect(find(), relative).to.equal(undefined);
      }
      process.env['PATH'] = `.::${folder}`;
      expect(find()).to.equal(program);
    } finally {
      process.chdir(cwd);
    }
  });

  it('has the usual folders where there is no PATH', () => {
    delete process.env['PATH'];
    expect(searchPath().split(':')).to.include('/usr/bin');
  });

  it('takes for root no program that somebody else may have put there', function () {
    needRoot(this);
    chmodSync(program, 0o775);
    expect(find()).to.equal(undefined);
    chmodSync(program, 0o755);
    chownSync(program, 1000, 0);
    expect(find()).to.equal(undefined);
    chownSync(program, 0, 0);
    chmodSync(folder, 0o777);
    expect(find()).to.equal(undefined);
    chmodSync(folder, 0o755);
    chownSync(folder, 1000, 0);
    expect(find()).to.equal(undefined);
    chownSync(folder, 0, 0);
    expect(find()).to.equal(program);
    // A link that somebody else may turn is not gone through again, and a folder of his holds nothing of root's.
    const theirs = mkdtempSync(join(tmpdir(), 'tsrun-path-'));
    symlinkSync(folder, join(theirs, 'bin'));
    mkdirSync(join(theirs, 'sbin'));
    copyFileSync(program, join(theirs, 'sbin/program-of-a-test'));
    chmodSync(join(theirs, 'sbin/program-of-a-test'), 0o755);
    chownSync(theirs, 1000, 0);
    process.env['PATH'] = join(theirs, 'bin');
    expect(find()).to.equal(program);
    process.env['PATH'] = join(theirs, 'sbin');
    expect(find()).to.equal(undefined);
    process.env['PATH'] = folder;
    rmSync(theirs, { recursive: true });
    const elsewhere = mkdtempSync(join(tmpdir(), 'tsrun-path-'));
    chmodSync(elsewhere, 0o777);
    writeFileSync(join(elsewhere, 'target'), '#!/bin/sh\n', { mode: 0o755 });
    rmSync(program);
    symlinkSync(join(elsewhere, 'target'), program);
    expect(find()).to.equal(undefined);
    rmSync(elsewhere, { recursive: true });
  });
});
