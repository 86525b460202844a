import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import type { Mount } from '../lib/config/types.ts';
import type { TestConfig } from './harness/config.ts';
import { sharedProgram } from './harness/shared-program.ts';
import { background, printed } from './harness/run.ts';
import { scenario } from './harness/scenario.ts';
import type { Scene } from './harness/scene.ts';

/** Makes a file of the host. */
function hostFile(scene: Scene, name: string, text: string): string {
  const path = scene.path(name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** Makes a symbolic link of the host. */
function hostLink(scene: Scene, name: string, target: string): string {
  const path = scene.path(name);
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
  return path;
}

/** Makes a symbolic link in the image. */
function imageLink(scene: Scene, path: string, target: string): void {
  mkdirSync(dirname(join(scene.rootfs, path)), { recursive: true });
  symlinkSync(target, join(scene.rootfs, path));
}

function bind(source: string, destination: string, ...options: string[]): Mount {
  return { destination, type: 'bind', source, options: ['bind', ...options] };
}

function withMounts(...mounts: Mount[]): (config: TestConfig) => void {
  return (config) => {
    config.mounts.push(...mounts);
  };
}

function inUserNamespace(scene: Scene, config: TestConfig): void {
  config.linux.namespaces.push({ type: 'user' });
  config.linux.uidMappings = [{ containerID: 0, hostID: 400_000, size: 65_536 }];
  config.linux.gidMappings = [{ containerID: 0, hostID: 400_000, size: 65_536 }];
  execFileSync('chown', ['-hR', '400000:400000', scene.rootfs]);
}

describe('symbolic links of bind mounts', () => {
  describe('copy-symlink', () => {
    scenario('copy-symlink makes the link anew, wherever it leads, and mounts nothing', async (scene) => {
      const secret = hostFile(scene, 'secret', 'of the host\n');
      const mounts = [
        bind(hostLink(scene, 'links/absolute', secret), '/etc/absolute', 'copy-symlink'),
        bind(hostLink(scene, 'links/relative', '../bin/busybox'), '/etc/deep/er/relative', 'copy-symlink'),
        bind(hostLink(scene, 'links/nowhere', '/no/where'), '/nowhere', 'copy-symlink', 'ro'),
      ];
      const script = [
        'for link in /etc/absolute /nowhere /etc/deep/er/relative; do readlink $link; done',
        'cat /etc/absolute 2>/dev/null || echo not here',
        'grep -c -e " /etc/" -e " /nowhere" /proc/self/mountinfo; true',
      ].join('\n');
      const expected = `${secret}\n/no/where\n../bin/busybox\nnot here\n0\n`;
      expect(await scene.shell(script, withMounts(...mounts))).to.equal(expected);
      // They are there now, and are what they should be.
      expect(await scene.shell(script, withMounts(...mounts))).to.equal(expected);
    });

    scenario('copy-symlink of what is no link is an ordinary bind mount', async (scene) => {
      const source = hostFile(scene, 'file', 'of the host\n');
      const edit = withMounts(bind(source, '/etc/file', 'copy-symlink'));
      expect(await scene.shell('cat /etc/file', edit)).to.equal('of the host\n');
      expect(readFileSync(join(scene.rootfs, 'etc/file'), 'utf8')).to.equal('');
    });

    scenario(
      'copy-symlink replaces nothing: something else in its place is an error that names it',
      async (scene) => {
        const source = hostLink(scene, 'link', '/wanted');
        writeFileSync(join(scene.rootfs, 'etc/file'), 'kept');
        imageLink(scene, 'etc/other', '/other');
        for (const destination of ['/etc/file', '/etc/other', '/etc', '/etc/other/..']) {
          const { stderr } = await scene.failure(withMounts(bind(source, destination, 'copy-symlink')));
          expect(stderr).to.contain('/mounts/6/destination');
        }
        expect(readFileSync(join(scene.rootfs, 'etc/file'), 'utf8')).to.equal('kept');
        expect(readlinkSync(join(scene.rootfs, 'etc/other'))).to.equal('/other');
      },
    );

    scenario('copy-symlink stays inside the rootfs, and never follows the last part', async (scene) => {
      const outside = scene.path('outside');
      mkdirSync(outside);
      imageLink(scene, 'way', outside);
      imageLink(scene, 'end', join(outside, 'made'));
      const source = hostLink(scene, 'link', '/target');
      const script = 'readlink /way/link';
      expect(await scene.shell(script, withMounts(bind(source, '/way/link', 'copy-symlink')))).to.equal(
        '/target\n',
      );
      await scene.failure(withMounts(bind(source, '/end', 'copy-symlink')));
      expect(readdirSync(outside)).to.deep.equal([]);
      expect(readlinkSync(join(scene.rootfs, outside, 'link'))).to.equal('/target');
    });

    scenario(
      'copy-symlink works in a user namespace, of a folder only the host may search',
      async (scene) => {
        const source = hostLink(scene, 'closed/link', '/target');
        execFileSync('chmod', ['700', dirname(source)]);
        const output = await scene.shell('readlink /etc/link; stat -c %u:%g /etc/link', (config) => {
          inUserNamespace(scene, config);
          config.mounts.push(bind(source, '/etc/link', 'copy-symlink'));
        });
        expect(output).to.equal('/target\n0:0\n');
      },
    );

    scenario(
      'copy-symlink of a source that becomes a link at any moment shows it, or copies it',
      async (scene) => {
        // Between looking what it is and using it nothing may change: what the link names is never mounted.
        const secret = hostFile(scene, 'secret', 'of the host\n');
        const file = hostFile(scene, 'volume/file', 'of the volume\n');
        const link = hostLink(scene, 'volume/link', secret);
        const attacker = scene.keep(background(sharedProgram('swap'), [file, link], { timeout: 50_000 }));
        await printed(attacker, 'swapping');
        const seen = new Set<string>();
        for (let i = 0; i < 20; i++) {
          const destination = `/etc/new${i}`;
          seen.add(
            await scene.shell(
              `[ -L ${destination} ] && readlink ${destination} || cat ${destination}`,
              withMounts(bind(file, destination, 'copy-symlink')),
            ),
          );
        }
        expect([`${secret}\n`, 'of the volume\n']).to.include.members([...seen]);
      },
    );

    scenario(
      'copy-symlink together with an option about mounting is an error with its place',
      async (scene) => {
        const source = hostLink(scene, 'link', '/target');
        for (const option of ['src-nofollow', 'dest-nofollow']) {
          const { stderr } = await scene.failure(withMounts(bind(source, '/x', 'copy-symlink', option)));
          expect(stderr).to.contain('/mounts/6/options/2').and.contain(option);
        }
      },
    );
  });

  describe('dest-nofollow', () => {
    scenario('dest-nofollow mounts on a link and leaves what it names alone', async (scene) => {
      const source = hostFile(scene, 'file', 'of the host\n');
      const outside = hostFile(scene, 'outside', 'outside\n');
      writeFileSync(join(scene.rootfs, 'etc/target'), 'of the image\n');
      imageLink(scene, 'etc/link', 'target');
      imageLink(scene, 'etc/host', outside);
      imageLink(scene, 'etc/dangling', '/no/where');
      const places = ['/etc/link', '/etc/host', '/etc/dangling'];
      const output = await scene.shell(
        `cat ${places.join(' ')} /etc/target; ls /no ${outside} 2>/dev/null; true`,
        withMounts(...places.map((place) => bind(source, place, 'dest-nofollow'))),
      );
      expect(output).to.equal('of the host\n'.repeat(3).concat('of the image\n'));
      expect(readFileSync(outside, 'utf8')).to.equal('outside\n');
      expect(existsSync(join(scene.rootfs, 'no'))).to.equal(false);
    });

    scenario('without dest-nofollow the link is followed', async (scene) => {
      const source = hostFile(scene, 'file', 'of the host\n');
      writeFileSync(join(scene.rootfs, 'etc/target'), 'of the image\n');
      imageLink(scene, 'etc/link', 'target');
      const output = await scene.shell('cat /etc/target', withMounts(bind(source, '/etc/link')));
      expect(output).to.equal('of the host\n');
    });

    scenario('dest-nofollow follows links on the way, inside the rootfs', async (scene) => {
      const source = hostFile(scene, 'file', 'of the host\n');
      const outside = scene.path('outside');
      mkdirSync(outside);
      imageLink(scene, 'way', outside);
      imageLink(scene, `${outside}/link`, '/no/where');
      const output = await scene.shell(
        `cat /way/link /way/new ${outside}/link`,
        withMounts(bind(source, '/way/link', 'dest-nofollow'), bind(source, '/way/new', 'dest-nofollow')),
      );
      expect(output).to.equal('of the host\n'.repeat(3));
      expect(readdirSync(outside)).to.deep.equal([]);
    });

    scenario('dest-nofollow with src-nofollow shows one link in the place of another', async (scene) => {
      const source = hostLink(scene, 'link', '/shown');
      imageLink(scene, 'etc/link', '/hidden');
      const output = await scene.shell(
        'readlink /etc/link; grep -c " /etc/link ro," /proc/self/mountinfo',
        withMounts(
          bind(source, '/etc/link', 'src-nofollow', 'dest-nofollow'),
          bind(source, '/etc/link', 'remount', 'ro', 'dest-nofollow'),
        ),
      );
      expect(output).to.equal('/shown\n1\n');
      expect(readlinkSync(join(scene.rootfs, 'etc/link'))).to.equal('/hidden');
    });

    scenario('dest-nofollow works in a user namespace', async (scene) => {
      const source = hostFile(scene, 'file', 'of the host\n');
      imageLink(scene, 'etc/link', '/no/where');
      const output = await scene.shell('cat /etc/link', (config) => {
        inUserNamespace(scene, config);
        config.mounts.push(bind(source, '/etc/link', 'dest-nofollow'));
      });
      expect(output).to.equal('of the host\n');
    });

    scenario(
      'dest-nofollow of a folder or a new filesystem on a link is an error with its place',
      async (scene) => {
        imageLink(scene, 'etc/link', '/tmp');
        const folder = scene.path('folder');
        mkdirSync(folder);
        for (const mount of [
          bind(folder, '/etc/link', 'dest-nofollow'),
          { destination: '/etc/link', type: 'tmpfs', source: 'tmpfs', options: ['dest-nofollow'] },
        ]) {
          const { stderr } = await scene.failure(withMounts(mount));
          expect(stderr)
            .to.match(/not a directory/)
            .and.contain('/mounts/6/destination');
        }
      },
    );

    scenario('dest-nofollow reaches no link of procfs', async (scene) => {
      const source = hostFile(scene, 'file', 'of the host\n');
      imageLink(scene, 'alias', '/proc');
      const { stderr } = await scene.failure(withMounts(bind(source, '/alias/self', 'dest-nofollow')));
      expect(stderr).to.match(/inside \/proc is not allowed/);
    });
  });
});
