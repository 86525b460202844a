import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeReadableImages } from './readable-images.ts';

describe('images for criu in a user namespace', () => {
  const user = { ociVersion: '1.3.0', linux: { namespaces: [{ type: 'user' as const }] } };
  let images = '';
  beforeEach(() => {
    images = mkdtempSync(join(tmpdir(), 'tsrun-images-'));
    writeFileSync(join(images, 'core-1.img'), 'core', { mode: 0o644 });
    writeFileSync(join(images, 'pages-1.img'), 'pages', { mode: 0o600 });
    writeFileSync(join(images, 'dump.log'), '', { mode: 0o600 });
  });
  afterEach(() => {
    rmSync(images, { recursive: true });
  });

  it('are links, or copies that everybody may read, in a folder that only the owner can find', () => {
    const readable = makeReadableImages(images, user);
    const folder = readable?.folder ?? '';
    expect(readdirSync(folder).sort()).to.deep.equal(['core-1.img', 'pages-1.img']);
    expect(statSync(join(folder, 'core-1.img')).ino).to.equal(statSync(join(images, 'core-1.img')).ino);
    expect(statSync(join(folder, 'pages-1.img')).mode & 0o777).to.equal(0o644);
    expect(readFileSync(join(folder, 'pages-1.img'), 'utf8')).to.equal('pages');
    expect(statSync(folder).mode & 0o777).to.equal(0o755);
    expect(statSync(join(folder, '..')).mode & 0o777).to.equal(0o700);
    expect(statSync(join(images, 'pages-1.img')).mode & 0o777).to.equal(0o600);
    readable?.remove();
    expect(existsSync(folder)).to.equal(false);
    expect(readdirSync(images).sort()).to.deep.equal(['core-1.img', 'dump.log', 'pages-1.img']);
  });

  it('are not made without a user namespace, nor for images with a parent', () => {
    expect(makeReadableImages(images, { ociVersion: '1.3.0' })).to.equal(undefined);
    writeFileSync(join(images, 'parent'), '');
    expect(makeReadableImages(images, user)).to.equal(undefined);
  });
});
