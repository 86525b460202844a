import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Mount } from '../lib/config/types.ts';
import { mountAt, type MountInfo, parseMountinfo } from './harness/mountinfo.ts';
import { scenario } from './harness/scenario.ts';
import { type Scene, succeeded } from './harness/scene.ts';

/** Runs a container with these mounts behind the usual ones, and returns its mount table. */
async function mountTable(scene: Scene, ...mounts: Mount[]): Promise<MountInfo[]> {
  const text = await scene.shell('cat /proc/self/mountinfo', (config) => config.mounts.push(...mounts));
  return parseMountinfo(text);
}

/** A folder of the host with a file in it. */
function hostFolder(scene: Scene, name = 'source'): string {
  const folder = scene.path(name);
  mkdirSync(join(folder, 'sub'), { recursive: true });
  writeFileSync(join(folder, 'file'), `in ${name}\n`);
  return folder;
}

/** A host folder with another filesystem mounted on its `sub`. */
function hostTree(scene: Scene): string {
  const folder = hostFolder(scene);
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', join(folder, 'sub')]);
  writeFileSync(join(folder, 'sub', 'below'), 'below\n');
  return folder;
}

function umountTree(scene: Scene): void {
  execFileSync('umount', [scene.path('source', 'sub')]);
}

/** An option, and what it makes of the options in the mount table. */
interface Expectation {
  options: string[];
  has?: string[];
  lacks?: string[];
  superHas?: string[];
  superLacks?: string[];
}

const tmpfsOptions: Expectation[] = [
  { options: ['defaults'], has: ['rw', 'relatime'], lacks: ['ro', 'nosuid', 'nodev', 'noexec'] },
  { options: ['ro'], has: ['ro'] },
  { options: ['rw'], has: ['rw'] },
  { options: ['ro', 'rw'], has: ['rw'], superHas: ['rw'] },
  { options: ['rw', 'ro'], has: ['ro'] },
  { options: ['nosuid'], has: ['nosuid'] },
  { options: ['nosuid', 'suid'], lacks: ['nosuid'] },
  { options: ['nodev'], has: ['nodev'] },
  { options: ['nodev', 'dev'], lacks: ['nodev'] },
  { options: ['noexec'], has: ['noexec'] },
  { options: ['noexec', 'exec'], lacks: ['noexec'] },
  { options: ['noatime'], has: ['noatime'], lacks: ['relatime'] },
  { options: ['noatime', 'atime'], has: ['relatime'], lacks: ['noatime'] },
  { options: ['relatime'], has: ['relatime'] },
  { options: ['strictatime'], lacks: ['relatime', 'noatime'] },
  { options: ['strictatime', 'nostrictatime'], has: ['relatime'] },
  { options: ['norelatime'], lacks: ['noatime'] },
  { options: ['nodiratime'], has: ['nodiratime'] },
  { options: ['nodiratime', 'diratime'], lacks: ['nodiratime'] },
  { options: ['nosymfollow'], has: ['nosymfollow'] },
  { options: ['nosymfollow', 'symfollow'], lacks: ['nosymfollow'] },
  { options: ['sync'], superHas: ['sync'] },
  { options: ['sync', 'async'], superLacks: ['sync'] },
  { options: ['dirsync'], superHas: ['dirsync'] },
  { options: ['lazytime'], superHas: ['lazytime'] },
  { options: ['lazytime', 'nolazytime'], superLacks: ['lazytime'] },
  { options: ['silent'], has: ['rw'] },
  { options: ['loud'], has: ['rw'] },
  { options: ['iversion'], has: ['rw'] },
  { options: ['noiversion'], has: ['rw'] },
  { options: ['acl'], has: ['rw'] },
  { options: ['noacl'], has: ['rw'] },
  { options: ['nomand'], has: ['rw'] },
  { options: ['size=12k', 'mode=1711', 'nr_inodes=77'], superHas: ['size=12k', 'mode=1711', 'nr_inodes=77'] },
];

const recursiveOptions: Expectation[] = [
  { options: ['rro'], has: ['ro'] },
  { options: ['rro', 'rrw'], has: ['rw'] },
  { options: ['rnosuid'], has: ['nosuid'] },
  { options: ['rnosuid', 'rsuid'], lacks: ['nosuid'] },
  { options: ['rnodev'], has: ['nodev'] },
  { options: ['rnodev', 'rdev'], lacks: ['nodev'] },
  { options: ['rnoexec'], has: ['noexec'] },
  { options: ['rnoexec', 'rexec'], lacks: ['noexec'] },
  { options: ['rnodiratime'], has: ['nodiratime'] },
  { options: ['rnodiratime', 'rdiratime'], lacks: ['nodiratime'] },
  { options: ['rnoatime'], has: ['noatime'] },
  { options: ['rnoatime', 'ratime'], lacks: ['noatime'] },
  { options: ['rrelatime'], has: ['relatime'] },
  { options: ['rnorelatime'], lacks: ['noatime'] },
  { options: ['rstrictatime'], lacks: ['relatime', 'noatime'] },
  { options: ['rstrictatime', 'rnostrictatime'], has: ['relatime'] },
  { options: ['rnosymfollow'], has: ['nosymfollow'] },
  { options: ['rnosymfollow', 'rsymfollow'], lacks: ['nosymfollow'] },
];

const propagations: readonly (readonly [string, (propagation: string) => boolean])[] = [
  ['shared', (text) => text.includes('shared:')],
  ['rshared', (text) => text.includes('shared:')],
  ['slave', (text) => !text.includes('shared:')],
  ['rslave', (text) => !text.includes('shared:')],
  ['private', (text) => text === ''],
  ['rprivate', (text) => text === ''],
  ['unbindable', (text) => text.includes('unbindable')],
  ['runbindable', (text) => text.includes('unbindable')],
];

function check(
  mount: MountInfo,
  { has = [], lacks = [], superHas = [], superLacks = [] }: Expectation,
): void {
  if (has.length > 0) expect(mount.options).to.include.members(has);
  for (const option of lacks) expect(mount.options).not.to.include(option);
  if (superHas.length > 0) expect(mount.superOptions).to.include.members(superHas);
  for (const option of superLacks) expect(mount.superOptions).not.to.include(option);
}

describe('mounts', () => {
  describe('options of a new filesystem', () => {
    for (const expectation of tmpfsOptions) {
      scenario(expectation.options.join(','), async (scene) => {
        const { options } = expectation;
        const table = await mountTable(scene, { destination: '/t', type: 'tmpfs', source: 'tmpfs', options });
        check(mountAt(table, '/t'), expectation);
      });
    }

    scenario('an option the filesystem does not know names the mount and the option', async (scene) => {
      const { stderr } = await scene.failure((config) => {
        config.mounts.push({ destination: '/t', type: 'tmpfs', source: 'tmpfs', options: ['colour=blue'] });
      });
      expect(stderr)
        .to.match(/mounts\[6\]|mounts\/6/)
        .and.contain('/t')
        .and.match(/colour/);
    });

    scenario('a filesystem the kernel does not know is named', async (scene) => {
      const { stderr } = await scene.failure((config) => {
        config.mounts.push({ destination: '/t', type: 'nosuchfs', source: 'x' });
      });
      expect(stderr)
        .to.match(/mounts\[6\]|mounts\/6/)
        .and.contain('nosuchfs');
    });
  });

  describe('options of a bind mount', () => {
    for (const expectation of tmpfsOptions) {
      const { options, superHas } = expectation;
      const superblock = ['sync', 'async', 'dirsync', 'lazytime', 'nolazytime'];
      // Options of the filesystem are not for bind mounts.
      if (superHas !== undefined || options.some((option) => superblock.includes(option))) continue;
      if (options.includes('nostrictatime')) continue;
      scenario(options.join(','), async (scene) => {
        const source = hostFolder(scene);
        const table = await mountTable(scene, {
          destination: '/b',
          type: 'bind',
          source,
          options: ['bind', ...options],
        });
        check(mountAt(table, '/b'), expectation);
      });
    }

    for (const expectation of recursiveOptions) {
      scenario(`${expectation.options.join(',')} reaches the mounts below`, async (scene) => {
        const source = hostTree(scene);
        const options = ['rbind', ...expectation.options];
        const table = await mountTable(scene, { destination: '/b', type: 'bind', source, options }).finally(
          () => {
            umountTree(scene);
          },
        );
        check(mountAt(table, '/b'), expectation);
        check(mountAt(table, '/b/sub'), expectation);
      });
    }

    scenario('ro on an rbind leaves the mounts below writable', async (scene) => {
      const source = hostTree(scene);
      const table = await mountTable(scene, {
        destination: '/b',
        type: 'bind',
        source,
        options: ['rbind', 'ro'],
      }).finally(() => {
        umountTree(scene);
      });
      expect(mountAt(table, '/b').options).to.include('ro');
      expect(mountAt(table, '/b/sub').options).to.include('rw');
    });

    scenario('bind takes the one mount, rbind all below it', async (scene) => {
      const source = hostTree(scene);
      const output = await scene
        .shell('ls /one/sub; echo -; ls /all/sub', (config) => {
          config.mounts.push({ destination: '/one', type: 'bind', source, options: ['bind'] });
          config.mounts.push({ destination: '/all', type: 'bind', source, options: ['rbind'] });
        })
        .finally(() => {
          umountTree(scene);
        });
      expect(output).to.equal('-\nbelow\n');
    });

    for (const options of [
      ['rbind', 'bind'],
      ['bind', 'rbind'],
    ]) {
      scenario(`${options.join(',')} takes all below it`, async (scene) => {
        const source = hostTree(scene);
        const output = await scene
          .shell('ls /all/sub', (config) => {
            config.mounts.push({ destination: '/all', type: 'bind', source, options });
          })
          .finally(() => {
            umountTree(scene);
          });
        expect(output).to.equal('below\n');
      });
    }

    scenario('the type bind alone makes no bind mount', async (scene) => {
      const source = hostFolder(scene);
      for (const type of ['bind', 'rbind']) {
        const { stderr } = await scene.failure((config) => {
          config.mounts.push({ destination: '/b', type, source, options: ['ro'] });
        });
        expect(stderr).to.include(`a mount of type "${type}" needs the option "${type}"`);
      }
    });

    scenario('the host does not change by what a container makes of its bind mounts', async (scene) => {
      const source = hostTree(scene);
      const before = readFileSync('/proc/self/mountinfo', 'utf8');
      await mountTable(scene, {
        destination: '/b',
        type: 'bind',
        source,
        options: ['rbind', 'rro', 'rnoexec'],
      });
      expect(readFileSync('/proc/self/mountinfo', 'utf8')).to.equal(before);
      umountTree(scene);
    });
  });

  describe('propagation', () => {
    for (const [option, holds] of propagations) {
      scenario(option, async (scene) => {
        const table = await mountTable(scene, {
          destination: '/t',
          type: 'tmpfs',
          source: 'tmpfs',
          options: [option],
        });
        expect(holds(mountAt(table, '/t').propagation.join(' '))).to.equal(true);
      });
    }
  });

  describe('bind mounts', () => {
    scenario('a relative source is taken from the bundle', async (scene) => {
      mkdirSync(join(scene.bundle, 'data'));
      writeFileSync(join(scene.bundle, 'data', 'file'), 'from the bundle\n');
      const output = await scene.shell('cat /data/file', (config) => {
        config.mounts.push({ destination: '/data', type: 'bind', source: 'data', options: ['bind'] });
      });
      expect(output).to.equal('from the bundle\n');
    });

    scenario('a file on a file, both made when missing', async (scene) => {
      const source = join(hostFolder(scene), 'file');
      const output = await scene.shell('cat /deep/er/file; cat /etc/passwd', (config) => {
        config.mounts.push({ destination: '/deep/er/file', type: 'bind', source, options: ['bind'] });
        config.mounts.push({ destination: '/etc/passwd', type: 'bind', source, options: ['bind'] });
      });
      expect(output).to.equal('in source\nin source\n');
    });

    scenario('a source that is missing names the line of the config', async (scene) => {
      scene.configure((config) => {
        config.mounts.splice(2, 0, {
          destination: '/data',
          type: 'bind',
          source: '/nowhere/at/all',
          options: ['bind'],
        });
      });
      const { stderr } = await scene.run();
      const lines = readFileSync(join(scene.bundle, 'config.json'), 'utf8').split('\n');
      const line = lines.findIndex((text) => text.includes('/nowhere/at/all')) + 1;
      expect(stderr).to.contain('config.json').and.contain('/nowhere/at/all');
      expect(stderr)
        .to.match(/no such file or directory/)
        .and.match(/mounts[[/.]2/);
      expect(stderr).to.match(new RegExp(`\\b${line}\\b`));
    });

    scenario('a word that is no option of a bind mount is refused', async (scene) => {
      const source = hostFolder(scene);
      const { stderr } = await scene.failure((config) => {
        config.mounts.push({ destination: '/b', type: 'bind', source, options: ['bind', 'readonly'] });
      });
      expect(stderr).to.match(/"readonly": is no option of a bind mount/);
    });

    scenario('filesystem options on a bind mount are ignored with a warning', async (scene) => {
      const source = hostFolder(scene);
      scene.configure((config) => {
        config.process.args = ['cat', '/b/file'];
        config.mounts.push({ destination: '/b', type: 'bind', source, options: ['bind', 'size=1k'] });
      });
      writeFileSync(join(source, 'file'), 'here');
      const { stdout, stderr } = succeeded(await scene.run());
      expect(stdout).to.equal('here');
      expect(stderr).to.match(/size=1k/);
    });

    scenario('a symbolic link in the destination is followed inside the rootfs only', async (scene) => {
      const source = hostFolder(scene);
      const outside = hostFolder(scene, 'outside');
      symlinkSync(outside, join(scene.rootfs, 'link'));
      const output = await scene.shell('cat /link/here/file', (config) => {
        config.mounts.push({ destination: '/link/here', type: 'bind', source, options: ['bind'] });
      });
      expect(output).to.equal('in source\n');
      expect(existsSync(join(outside, 'here'))).to.equal(false);
    });

    scenario('order of the mounts is the order of the config', async (scene) => {
      const [a, b] = [hostFolder(scene, 'a'), hostFolder(scene, 'b')];
      const output = await scene.shell('cat /x/file /x/sub/file', (config) => {
        config.mounts.push({ destination: '/x', type: 'bind', source: a, options: ['bind'] });
        config.mounts.push({ destination: '/x/sub', type: 'bind', source: b, options: ['bind'] });
      });
      expect(output).to.equal('in a\nin b\n');
    });
  });

  describe('remount', () => {
    scenario('remount changes the mount that is there', async (scene) => {
      const table = await mountTable(
        scene,
        { destination: '/t', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'size=16k'] },
        { destination: '/t', type: 'tmpfs', source: 'tmpfs', options: ['remount', 'ro', 'nosuid'] },
      );
      expect(mountAt(table, '/t').options).to.include.members(['ro', 'nosuid']);
      expect(table.filter(({ destination }) => destination === '/t')).to.have.length(1);
    });

    scenario('remount of a bind mount changes its attributes', async (scene) => {
      const source = hostFolder(scene);
      const table = await mountTable(
        scene,
        { destination: '/b', type: 'bind', source, options: ['bind'] },
        { destination: '/b', source, options: ['bind', 'remount', 'ro', 'noexec'] },
      );
      expect(mountAt(table, '/b').options).to.include.members(['ro', 'noexec']);
    });
  });

  describe('tmpcopyup', () => {
    scenario('tmpcopyup fills the tmpfs with what the image has there', async (scene) => {
      const data = join(scene.rootfs, 'data');
      mkdirSync(join(data, 'deep/er'), { recursive: true, mode: 0o755 });
      writeFileSync(join(data, 'deep/er/file'), 'copied\n', { mode: 0o640 });
      symlinkSync('deep/er/file', join(data, 'link'));
      chownSync(join(data, 'deep/er/file'), 1000, 50);
      const script =
        'cat /data/link; stat -c "%a %u %g" /data/deep/er/file; readlink /data/link; echo new > /data/new';
      const output = await scene.shell(script, (config) => {
        config.mounts.push({ destination: '/data', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup'] });
        config.process.capabilities = {
          bounding: ['CAP_DAC_OVERRIDE'],
          effective: ['CAP_DAC_OVERRIDE'],
          permitted: ['CAP_DAC_OVERRIDE'],
        };
      });
      expect(output).to.equal('copied\n640 1000 50\ndeep/er/file\n');
      expect(existsSync(join(data, 'new'))).to.equal(false);
    });
  });

  describe('idmapped mounts', () => {
    const uidMappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }];

    scenario('id mappings show the files of a bind mount with mapped owners', async (scene) => {
      const source = hostFolder(scene);
      chownSync(join(source, 'file'), 0, 0);
      const output = await scene.shell('stat -c "%u %g" /b/file', (config) => {
        const mount = { destination: '/b', type: 'bind', source, options: ['bind'] };
        config.mounts.push({ ...mount, uidMappings, gidMappings: uidMappings });
      });
      expect(output).to.equal('100000 100000\n');
    });

    scenario('idmap uses the mappings of the container', async (scene) => {
      const source = hostFolder(scene);
      chownSync(join(source, 'file'), 5, 6);
      const output = await scene.shell(
        'stat -c "%u %g" /b/file; touch /b/new; stat -c "%u" /b/new',
        (config) => {
          config.linux.namespaces.push({ type: 'user' });
          config.linux.uidMappings = [{ containerID: 0, hostID: 300_000, size: 65_536 }];
          config.linux.gidMappings = [{ containerID: 0, hostID: 300_000, size: 65_536 }];
          config.mounts.push({ destination: '/b', type: 'bind', source, options: ['bind', 'idmap'] });
          execFileSync('chown', ['-hR', '300000:300000', scene.rootfs]);
        },
      );
      expect(output).to.equal('5 6\n0\n');
      expect(Number(execFileSync('stat', ['-c', '%u', join(source, 'new')], { encoding: 'utf8' }))).to.equal(
        0,
      );
    });

    scenario('ridmap maps the mounts below as well', async (scene) => {
      const source = hostTree(scene);
      const output = await scene
        .shell('stat -c %u /b/file /b/sub/below', (config) => {
          const mount = { destination: '/b', type: 'bind', source, options: ['rbind', 'ridmap'] };
          config.mounts.push({ ...mount, uidMappings, gidMappings: uidMappings });
        })
        .finally(() => {
          umountTree(scene);
        });
      expect(output).to.equal('100000\n100000\n');
    });

    scenario('id mappings of a new filesystem are refused', async (scene) => {
      const { stderr } = await scene.failure((config) => {
        const mount = { destination: '/t', type: 'tmpfs', source: 'tmpfs' };
        config.mounts.push({ ...mount, uidMappings, gidMappings: uidMappings });
      });
      expect(stderr).to.match(/bind/);
    });
  });

  scenario('the usual filesystems are where the config wants them', async (scene) => {
    const table = await mountTable(scene);
    const types = Object.fromEntries(table.map(({ destination, type }) => [destination, type]));
    expect(types).to.include({
      '/proc': 'proc',
      '/dev': 'tmpfs',
      '/dev/pts': 'devpts',
      '/dev/shm': 'tmpfs',
      '/dev/mqueue': 'mqueue',
      '/sys': 'sysfs',
    });
    expect(mountAt(table, '/sys').options).to.include.members(['ro', 'nosuid', 'noexec', 'nodev']);
    expect(mountAt(table, '/dev/shm').superOptions).to.include('size=65536k');
    for (const { source } of table) expect(source).not.to.contain(scene.folder);
  });
});
