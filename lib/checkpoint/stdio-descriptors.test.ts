import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { externalStdio, inheritedStdio, writeDescriptors } from './stdio-descriptors.ts';

describe('the stdio of a container in a checkpoint', () => {
  let images = '';
  beforeEach(() => {
    images = mkdtempSync(join(tmpdir(), 'tsrun-images-'));
  });
  afterEach(() => {
    rmSync(images, { recursive: true });
  });

  it('is external for files and sockets, and dumped for pipes', () => {
    expect(externalStdio(['null:file[1:2]', 'pipe:[3]', 'socket:[4]'])).to.deep.equal([
      'file[1:2]',
      'unix[4]',
    ]);
    expect(externalStdio(['', 'file[1:2]', ''])).to.deep.equal(['file[1:2]']);
    expect(externalStdio(undefined)).to.deep.equal([]);
  });

  it('is replaced by the descriptors of restore, and by /dev/null where it was that', () => {
    writeDescriptors(images, ['null:file[1:2]', 'pipe:[3]', 'socket:[4]']);
    expect(inheritedStdio(images, 9)).to.deep.equal([
      { key: 'file[1:2]', fd: 9 },
      { key: 'pipe:[3]', fd: 1 },
      { key: 'socket:[4]', fd: 2 },
    ]);
  });

  it('is replaced once when two descriptors were the same file', () => {
    writeDescriptors(images, ['', 'pipe:[3]', 'pipe:[3]']);
    expect(inheritedStdio(images, 9)).to.deep.equal([{ key: 'pipe:[3]', fd: 1 }]);
  });

  it('is nothing for a container with a terminal', () => {
    writeDescriptors(images);
    expect(inheritedStdio(images, 9)).to.deep.equal([]);
  });

  it('takes no key of another form from descriptors.json', () => {
    writeFileSync(join(images, 'descriptors.json'), '["extRootNetNS", 1, "/x", "pipe:[5]"]');
    expect(inheritedStdio(images, 9)).to.deep.equal([]);
  });

  it('cannot be restored without descriptors.json', () => {
    expect(() => inheritedStdio(images, 9)).to.throw(/read .*descriptors\.json: .*ENOENT/);
  });
});
