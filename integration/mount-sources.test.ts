import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Mount } from '../lib/config/types.ts';
import type { TestConfig } from './harness/config.ts';
import { mountAt, parseMountinfo } from './harness/mountinfo.ts';
import { scenario } from './harness/scenario.ts';
import type { Scene } from './harness/scene.ts';

const ids = [{ containerID: 0, hostID: 100_000, size: 65_536 }];

/** Gives the container a user namespace, and the image to its root. */
function inUserNamespace(scene: Scene, config: TestConfig): void {
  config.linux.namespaces.push({ type: 'user' });
  config.linux.uidMappings = config.linux.gidMappings = ids;
  execFileSync('chown', ['-hR', '100000:100000', scene.rootfs]);
}

function bind(destination: string, source: string, ...options: string[]): Mount {
  return { destination, type: 'bind', source, options: ['bind', ...options] };
}

/** A folder of the host with a file in `sub`; without a name beside it the one that the first mount covers. */
function folder(path: string, text: string): string {
  mkdirSync(join(path, 'sub'), { recursive: true });
  writeFileSync(join(path, 'sub', 'file'), `${text}\n`);
  return path;
}

const users = {
  'without a user namespace': () => undefined,
  'in a user namespace': inUserNamespace,
} as const;

describe('sources of bind mounts in the rootfs', () => {
  for (const [title, withUser] of Object.entries(users)) {
    describe(title, () => {
      scenario('are what an earlier mount has brought', async (scene) => {
        const brought = folder(scene.path('brought'), 'brought');
        folder(join(scene.rootfs, 'covered'), 'covered');
        const output = await scene.shell('cat /one/file /two/sub/file /three', (config) => {
          withUser(scene, config);
          config.mounts.push(
            bind('/covered', brought),
            bind('/one', join(scene.rootfs, 'covered/sub')),
            // Not there at all without the mount.
            bind('/new', brought),
            { destination: '/two', type: 'bind', source: 'rootfs/new', options: ['rbind', 'ro'] },
            bind('/three', 'rootfs/two/sub/file'),
          );
        });
        expect(output).to.equal('brought\nbrought\nbrought\n');
      });

      scenario('are a filesystem that an earlier mount has made, and what is below it', async (scene) => {
        const brought = folder(scene.path('brought'), 'brought');
        const output = await scene.shell('cat /all/deep/sub/file; ls /one/deep', (config) => {
          withUser(scene, config);
          config.mounts.push(
            { destination: '/t', type: 'tmpfs', source: 'tmpfs', options: ['mode=755'] },
            bind('/t/deep', brought),
            { destination: '/all', type: 'bind', source: join(scene.rootfs, 't'), options: ['rbind'] },
            bind('/one', join(scene.rootfs, 't')),
          );
        });
        expect(output).to.equal('brought\n');
      });

      scenario('come from the rootfs as it is without such a mount', async (scene) => {
        folder(join(scene.rootfs, 'data'), 'of the image');
        const output = await scene.shell('cat /b/file /c/sub/file', (config) => {
          withUser(scene, config);
          config.mounts.push(bind('/b', join(scene.rootfs, 'data/sub')), bind('/c', 'rootfs/data', 'ro'));
        });
        expect(output).to.equal('of the image\nof the image\n');
      });

      scenario('are found by a link of the host', async (scene) => {
        const brought = folder(scene.path('brought'), 'brought');
        folder(join(scene.rootfs, 'covered'), 'covered');
        symlinkSync(join(scene.rootfs, 'covered'), scene.path('link'));
        const output = await scene.shell('cat /b/file', (config) => {
          withUser(scene, config);
          config.mounts.push(bind('/covered', brought), bind('/b', scene.path('link', 'sub')));
        });
        expect(output).to.equal('brought\n');
      });

      scenario('are never what a link of the image leads to on the host', async (scene) => {
        const outside = folder(scene.path('outside'), 'secret');
        symlinkSync(outside, join(scene.rootfs, 'absolute'));
        symlinkSync('../../outside', join(scene.rootfs, 'relative'));
        symlinkSync('/proc/1/root', join(scene.rootfs, 'magic'));
        symlinkSync(scene.rootfs, scene.path('alias'));
        for (const source of [
          'rootfs/absolute/sub',
          'rootfs/relative',
          join(scene.path('alias'), 'absolute'),
        ]) {
          const { stderr } = await scene.failure((config) => {
            withUser(scene, config);
            config.process.args = ['cat', '/b/file', '/b/sub/file'];
            config.mounts.push(bind('/b', source));
          });
          expect(stderr)
            .to.include('/mounts/6/source')
            .and.match(/looked for in the rootfs\): no such file or directory/);
        }
        // A link that leads to something of the image is fine.
        folder(join(scene.rootfs, scene.path('outside')), 'of the image');
        const output = await scene.shell('cat /b/file', (config) => {
          withUser(scene, config);
          config.mounts.push(bind('/b', 'rootfs/absolute/sub'));
        });
        expect(output).to.equal('of the image\n');
        expect(existsSync(join(outside, 'sub/file'))).to.equal(true);
      });
    });
  }

  scenario('may lie in a folder that is closed to root of a user namespace', async (scene) => {
    folder(join(scene.rootfs, 'closed/data'), 'closed');
    const output = await scene.shell('cat /b/file', (config) => {
      inUserNamespace(scene, config);
      chownSync(join(scene.rootfs, 'closed'), 0, 0);
      execFileSync('chmod', ['700', join(scene.rootfs, 'closed')]);
      config.mounts.push(bind('/b', join(scene.rootfs, 'closed/data/sub')));
    });
    expect(output).to.equal('closed\n');
  });

  scenario('are not what lies below a mount that is closed to root of a user namespace', async (scene) => {
    folder(join(scene.rootfs, 'm/closed'), 'covered');
    const brought = folder(scene.path('brought'), 'brought');
    mkdirSync(join(brought, 'closed/sub'), { recursive: true });
    execFileSync('chmod', ['700', join(brought, 'closed')]);
    const { stderr } = await scene.failure((config) => {
      inUserNamespace(scene, config);
      config.mounts.push(bind('/m', brought), bind('/b', join(scene.rootfs, 'm/closed/sub')));
    });
    expect(stderr)
      .to.include('/mounts/7/source')
      .and.match(/permission denied/);
  });

  describe('with id maps', () => {
    const idmap = 'idmap=uids=0-7-1;gids=0-8-1';

    scenario('are what an earlier mount has brought', async (scene) => {
      const brought = folder(scene.path('brought'), 'brought');
      folder(join(scene.rootfs, 'covered'), 'covered');
      const output = await scene.shell('cat /b/file; stat -c %u:%g /b/file /c/sub/file', (config) => {
        config.mounts.push(bind('/covered', brought), bind('/b', 'rootfs/covered/sub', idmap), {
          destination: '/c',
          type: 'bind',
          source: 'rootfs/covered',
          options: ['rbind', `r${idmap}`],
        });
      });
      expect(output).to.equal('brought\n7:8\n7:8\n');
    });

    scenario('are the image as it is, in a user namespace too', async (scene) => {
      folder(join(scene.rootfs, 'data'), 'of the image');
      const output = await scene.shell('cat /b/sub/file; stat -c %u:%g /b/sub/file', (config) => {
        inUserNamespace(scene, config);
        config.mounts.push(bind('/b', 'rootfs/data', 'idmap=uids=100000-100003-1;gids=100000-100004-1'));
      });
      expect(output).to.equal('of the image\n3:4\n');
    });

    scenario(
      'are refused rather than taken from below an earlier mount in a user namespace',
      async (scene) => {
        const brought = folder(scene.path('brought'), 'brought');
        folder(join(scene.rootfs, 'covered'), 'covered');
        const { stderr } = await scene.failure((config) => {
          inUserNamespace(scene, config);
          config.mounts.push(bind('/covered', brought), bind('/b', 'rootfs/covered/sub', 'idmap'));
        });
        expect(stderr)
          .to.include('/mounts/7')
          .and.match(/idmapped mount: operation not permitted/);
      },
    );
  });
});

describe('attributes of bind mounts', () => {
  const tmpfs = (scene: Scene, options: string): string => {
    const path = scene.path('source');
    mkdirSync(path);
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]);
    return path;
  };
  const optionsOf = async (
    scene: Scene,
    source: string,
    options: readonly string[],
    edit: (config: TestConfig) => void = () => undefined,
  ): Promise<string[]> => {
    const table = await scene.shell('cat /proc/self/mountinfo', (config) => {
      edit(config);
      config.mounts.push({ destination: '/b', type: 'bind', source, options: [...options] });
    });
    return mountAt(parseMountinfo(table), '/b').options;
  };
  const restricted = 'ro,nosuid,nodev,noexec,noatime,nodiratime';

  for (const [options, expected] of [
    [['rbind'], restricted],
    [['rbind', 'rprivate'], restricted],
    [['bind', 'nodev'], 'rw,nodev,noatime,nodiratime'],
    [['bind', 'rw'], 'rw,noatime,nodiratime'],
    [['bind', 'ro'], 'ro,noatime,nodiratime'],
    [['bind', 'exec', 'ro'], 'ro,noatime,nodiratime'],
    [['bind', 'noexec', 'relatime'], 'rw,noexec,relatime'],
    [['bind', 'noatime'], 'rw,noatime'],
  ] as const) {
    scenario(`${options.join()}: what is not named is cleared`, async (scene) => {
      const source = tmpfs(scene, restricted);
      try {
        expect((await optionsOf(scene, source, options)).join()).to.equal(expected);
      } finally {
        execFileSync('umount', [source]);
      }
    });
  }

  scenario('in a user namespace what the source forbids stays', async (scene) => {
    const source = tmpfs(scene, 'nosuid,nodev,noexec');
    try {
      const edit = (config: TestConfig): void => {
        inUserNamespace(scene, config);
      };
      expect(await optionsOf(scene, source, ['bind', 'ro'], edit)).to.include.members([
        'ro',
        'nosuid',
        'nodev',
        'noexec',
      ]);
    } finally {
      execFileSync('umount', [source]);
    }
  });
});
