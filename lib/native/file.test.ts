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
import { flock, openat2, resolveFlags, setCloexec, umount2 } from './native.ts';
import { runShell } from './testing/run.ts';

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

  const read = (path: string, resolve: number): string => {
    const fd = openat2(root, path, { flags: fs.O_RDONLY, resolve });
    const text = readFileSync(fd, 'utf8');
    closeSync(fd);
    return text;
  };
  const errnoOf = (path: string, resolve: number): number | undefined => {
    try {
      read(path, resolve);
    } catch (error) {
      return error instanceof TsrunError ? error.errno : undefined;
    }
    return 0;
  };

  it('opens inside a root', () => {
    for (const path of ['etc/passwd', '/etc/passwd', 'absolute', 'upwards', '../etc/passwd']) {
      expect(read(path, resolveFlags.inRoot), path).to.equal('inside');
    }
    expect(errnoOf('absolute', resolveFlags.noSymlinks)).to.equal(os.errno.ELOOP);
    expect(errnoOf('upwards', resolveFlags.beneath)).to.equal(os.errno.EXDEV);
    expect(errnoOf('none', resolveFlags.inRoot)).to.equal(os.errno.ENOENT);
    expect(() => openat2(root, 'a\0b', { flags: 0, resolve: 0 })).to.throw(TsrunError, /NUL/);
  });

  it('makes a file with the mode asked for', () => {
    const flags = fs.O_CREAT | fs.O_WRONLY | fs.O_EXCL;
    closeSync(openat2(root, 'made', { flags, mode: 0o600, resolve: resolveFlags.beneath }));
    expect(() => openat2(root, 'made', { flags, mode: 0o600, resolve: 0 })).to.throw(TsrunError, /EEXIST/);
  });

  it('locks, shared and exclusive', () => {
    const [first, second] = [openSync(join(folder, 'lock'), 'w'), openSync(join(folder, 'lock'), 'w')];
    expect(flock(first, 'shared', { wait: true })).to.equal(true);
    expect(flock(second, 'shared', { wait: false })).to.equal(true);
    expect(flock(second, 'exclusive', { wait: false })).to.equal(false);
    expect(flock(first, 'unlock', { wait: true })).to.equal(true);
    expect(flock(second, 'exclusive', { wait: true })).to.equal(true);
    closeSync(second);
    expect(flock(first, 'exclusive', { wait: false })).to.equal(true);
    closeSync(first);
    expect(() => flock(first, 'shared', { wait: true })).to.throw(TsrunError, /EBADF/);
  });

  it('sets close-on-exec', () => {
    const flagsOf = (fd: number): string =>
      /flags:\s*(\S+)/.exec(readFileSync(`/proc/self/fdinfo/${String(fd)}`, 'utf8'))?.[1] ?? '';
    expect(flagsOf(root)).to.match(/^02/);
    setCloexec(root, false);
    expect(flagsOf(root)).not.to.match(/^02/);
    setCloexec(root, true);
    expect(flagsOf(root)).to.match(/^02/);
    expect(() => {
      setCloexec(4711, true);
    }).to.throw(TsrunError, /EBADF/);
  });

  it('says when nothing is mounted', () => {
    expect(umount2(join(folder, 'etc'), 0)).to.equal(-os.errno.EINVAL);
    expect(umount2(join(folder, 'none'), 0)).to.equal(-os.errno.ENOENT);
    expect(runShell('true').status).to.equal(0);
  });
});
