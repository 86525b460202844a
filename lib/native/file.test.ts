import { expect } from 'chai';
import {
  closeSync,
  constants as fs,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { constants as os, tmpdir } from 'node:os';
import { join } from 'node:path';
import { TsrunError } from '../core/error.ts';
import { flock, openInRoot } from './file.ts';
import { userName } from './user.ts';

describe('files by native calls', () => {
  let folder = '';
  let root = -1;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsrun-file-'));
    mkdirSync(join(folder, 'etc'));
    writeFileSync(join(folder, 'etc/passwd'), 'inside');
    symlinkSync('/etc/passwd', join(folder, 'absolute'));
    symlinkSync('../../../../etc/passwd', join(folder, 'upwards'));
    root = openSync(folder, fs.O_RDONLY | fs.O_DIRECTORY);
  });
  after(() => {
    closeSync(root);
    rmSync(folder, { recursive: true });
  });

  it('opens a path inside a root, also through links that lead out of it', () => {
    for (const path of ['etc/passwd', '/etc/passwd', 'absolute', 'upwards', '../etc/passwd']) {
      const fd = openInRoot(root, path, fs.O_RDONLY);
      expect(readFileSync(fd, 'utf8'), path).to.equal('inside');
      closeSync(fd);
    }
  });

  it('reports the errno of a path that cannot be opened', () => {
    const errnoOf = (path: string, flags: number): number | undefined => {
      try {
        closeSync(openInRoot(root, path, flags));
      } catch (error) {
        return error instanceof TsrunError ? error.errno : undefined;
      }
      return 0;
    };
    expect(errnoOf('none', fs.O_RDONLY)).to.equal(os.errno.ENOENT);
    expect(errnoOf('absolute', fs.O_NOFOLLOW)).to.equal(os.errno.ELOOP);
    expect(() => openInRoot(root, 'a\0b', 0)).to.throw(TsrunError, /NUL/);
  });

  it('locks a file for one at a time', () => {
    const [first, second] = [openSync(join(folder, 'lock'), 'w'), openSync(join(folder, 'lock'), 'w')];
    expect(flock(first)).to.equal(true);
    expect(flock(second, { wait: false })).to.equal(false);
    closeSync(first);
    expect(flock(second, { wait: true })).to.equal(true);
    closeSync(second);
    expect(() => flock(second)).to.throw(TsrunError, /EBADF/);
  });
});

describe('userName', () => {
  it('knows root, and says when there is no such user', () => {
    expect(userName(0)).to.equal('root');
    expect(userName(4_294_967_294)).to.equal(undefined);
  });
});
