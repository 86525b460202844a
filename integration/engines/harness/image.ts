import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeRootfs } from '../../harness/rootfs.ts';

/** What a container of the image runs unless told otherwise, and where; image-spec v1.0.2 config.md. */
export interface ImageConfig {
  Cmd?: string[];
  Env?: string[];
  User?: string;
  Volumes?: Record<string, object>;
}

/**
 * Makes an image of the machine's static busybox, as an archive in docker's format: `ctr image import`,
 * `docker load`, `podman load` and buildah's `docker-archive:` read it. The engines know it by `reference`.
 */
export function makeImage(archive: string, reference: string, config: ImageConfig = {}): void {
  const work = `${archive}.work`;
  mkdirSync(join(work, 'image'), { recursive: true });
  copyFileSync('/bin/busybox', join(work, 'busybox'));
  makeRootfs(join(work, 'rootfs'), work);
  for (const folder of ['mnt', 'run', 'data']) mkdirSync(join(work, 'rootfs', folder));
  tar(join(work, 'image', 'layer.tar'), join(work, 'rootfs'));
  const layer = sha256(readFileSync(join(work, 'image', 'layer.tar')));
  const description = JSON.stringify({
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: { Env: ['PATH=/bin:/usr/bin'], Cmd: ['sh'], ...config },
    rootfs: { type: 'layers', diff_ids: [`sha256:${layer}`] },
  });
  const name = `${sha256(Buffer.from(description))}.json`;
  writeFileSync(join(work, 'image', name), description);
  const manifest = [{ Config: name, RepoTags: [reference], Layers: ['layer.tar'] }];
  writeFileSync(join(work, 'image', 'manifest.json'), JSON.stringify(manifest));
  mkdirSync(dirname(archive), { recursive: true });
  tar(archive, join(work, 'image'));
  rmSync(work, { recursive: true });
}

/** The image of a whole run, made once: the same bytes for every engine. */
export function sharedImage(folder: string): { archive: string; reference: string } {
  const archive = join(folder, 'busybox-image.tar');
  const reference = 'docker.io/library/tsrun-busybox:1';
  if (!existsSync(archive)) makeImage(archive, reference);
  return { archive, reference };
}

function tar(archive: string, folder: string): void {
  execFileSync('tar', ['-C', folder, '--owner=0', '--group=0', '--numeric-owner', '-cf', archive, '.']);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
