import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { TsrunError } from '../core/error.ts';
import type { Bundle } from './bundle.ts';
import { resolveRootfs } from './rootfs.ts';

describe('the root filesystem of a bundle', () => {
  let directory = '';

  beforeEach(() => {
    directory = realpathSync(mkdtempSync(join(tmpdir(), 'tsrun-rootfs-')));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  const bundle = (path: string | undefined): Bundle =>
    ({ directory, config: path === undefined ? {} : { root: { path } } }) as unknown as Bundle;

  const refused = (path: string | undefined): TsrunError => {
    try {
      resolveRootfs(bundle(path));
    } catch (error) {
      if (error instanceof TsrunError) return error;
      throw error;
    }
    throw new Error('it was taken');
  };

  it('is a path from the bundle or from the root, its links resolved', () => {
    mkdirSync(join(directory, 'real'));
    symlinkSync('real', join(directory, 'link'));
    for (const path of ['real', 'link', './x/../link', join(directory, 'link')])
      expect(resolveRootfs(bundle(path))).to.equal(join(directory, 'real'));
  });

  it('must be there', () => {
    const error = refused('missing');
    expect(error).to.include({ code: 'config', pointer: '/root/path' });
    expect(error.errno).to.equal(2);
    expect(error.reason).to.equal(`the rootfs ${directory}/missing: no such file or directory (ENOENT)`);
    expect(error.source).to.have.property('directory', directory);
  });

  it('must be a directory', () => {
    writeFileSync(join(directory, 'file'), '');
    const error = refused('file');
    expect(error).to.include({ code: 'config', pointer: '/root/path' });
    expect(error.reason).to.equal(`the rootfs ${directory}/file is not a directory`);
    expect(error.source).to.have.property('directory', directory);
  });

  it('must be named', () => {
    const error = refused(undefined);
    expect(error).to.include({ code: 'config', pointer: '/root', reason: 'required property is missing' });
    expect(error.source).to.have.property('directory', directory);
  });
});
