import { expect } from 'chai';
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  readlinkSync,
  writeSync,
} from 'node:fs';
import { TsrunError } from '../core/error.ts';
import { sealedMemfd, sealedMemfdOfFile } from './memfd.ts';
import { countDescriptors } from './testing/run.ts';

function expectSealed(fd: number): void {
  expect(() => writeSync(fd, 'x', 0)).to.throw(/EPERM/);
  if (fstatSync(fd).size > 0)
    expect(() => {
      ftruncateSync(fd, 0);
    }).to.throw(/EPERM/);
  expect(() => {
    ftruncateSync(fd, 1 << 20);
  }).to.throw(/EPERM/);
  const again = openSync(`/proc/self/fd/${String(fd)}`, 'r+');
  expect(() => writeSync(again, 'x', 0)).to.throw(/EPERM/);
  closeSync(again);
}

describe('sealed memory files', () => {
  it('hold bytes that nobody can change, with their offset at 0', () => {
    const bytes = Buffer.alloc(300_000, 'tsrun');
    const fd = sealedMemfd('plan', bytes);
    expect(readlinkSync(`/proc/self/fd/${String(fd)}`)).to.equal('/memfd:plan (deleted)');
    expectSealed(fd);
    const got = Buffer.alloc(bytes.length);
    expect(readSync(fd, got)).to.equal(bytes.length);
    expect(got.equals(bytes)).to.equal(true);
    closeSync(fd);
  });

  it('may be empty', () => {
    const fd = sealedMemfd('empty', new Uint8Array());
    expect(fstatSync(fd).size).to.equal(0);
    expectSealed(fd);
    closeSync(fd);
  });

  it('hold a copy of a file', () => {
    const fd = sealedMemfdOfFile('copy', '/bin/true');
    expectSealed(fd);
    expect(readFileSync(`/proc/self/fd/${String(fd)}`).equals(readFileSync('/bin/true'))).to.equal(true);
    expect(fstatSync(fd).mode & 0o777).to.equal(0o555);
    closeSync(fd);
  });

  it('hold a copy of a file whose size the filesystem does not know', () => {
    const fd = sealedMemfdOfFile('copy', '/proc/self/mountinfo');
    expect(readFileSync(`/proc/self/fd/${String(fd)}`, 'utf8')).to.contain(' / ');
    closeSync(fd);
  });

  it('are not made of a file that is not regular', () => {
    const before = countDescriptors();
    expect(() => sealedMemfdOfFile('x', '/nowhere')).to.throw(
      TsrunError,
      /copy \/nowhere into memory: .*ENOENT/,
    );
    expect(() => sealedMemfdOfFile('x', '/dev/zero')).to.throw(TsrunError, /EINVAL/);
    expect(() => sealedMemfdOfFile('x', '/')).to.throw(TsrunError, /EINVAL/);
    expect(countDescriptors()).to.equal(before);
  });
});
