import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { shareNamespace, type TestConfig } from './harness/config.ts';
import { started } from './harness/inside.ts';
import { mountAt, parseMountinfo } from './harness/mountinfo.ts';
import { scenario } from './harness/scenario.ts';

describe('the root filesystem', () => {
  scenario('the rootfs is all the container sees', async (scene) => {
    writeFileSync(scene.path('outside'), '');
    const output = await scene.shell('ls /; cd ..; ls ..; ls -d /proc/1/root/*');
    expect(output).to.contain('bin').and.not.contain('outside').and.not.contain('bundle');
  });

  scenario('read-only: nothing in it can be written, what is mounted on it can', async (scene) => {
    const output = await scene.shell(
      'touch /file 2>&1; mkdir /dir 2>&1; touch /dev/shm/ok && echo fine',
      (config) => {
        config.root.readonly = true;
      },
    );
    expect(output).to.match(/touch: \/file: Read-only file system/);
    expect(output)
      .to.match(/mkdir: .*Read-only file system/)
      .and.match(/fine\n$/);
  });

  scenario(
    'read-only without a mount namespace, for exec as well, and nothing is mounted on the host',
    async (scene) => {
      const before = readFileSync('/proc/self/mountinfo', 'utf8');
      const script = '(touch /made) 2>&1; cd /; cd ..; ls /bin/busybox; pwd';
      const expected = 'touch: /made: Read-only file system\n/bin/busybox\n/\n';
      const edit = (config: TestConfig): void => {
        shareNamespace(config, 'mount');
        config.root.readonly = true;
        config.process.cwd = '/made/for/it';
        config.mounts = [];
        config.linux.maskedPaths = config.linux.readonlyPaths = [];
      };
      expect(await scene.shell(script, edit)).to.equal(expected);
      const { shell } = await started(scene, edit);
      expect(await shell(script)).to.equal(expected);
      expect(readFileSync('/proc/self/mountinfo', 'utf8')).to.equal(before);
      expect(existsSync(join(scene.rootfs, 'made/for/it'))).to.equal(true);
      writeFileSync(join(scene.rootfs, 'from-the-host'), '');
    },
  );

  scenario('read-only says nothing about the host: the folder stays writable there', async (scene) => {
    await scene.shell('true', (config) => (config.root.readonly = true));
    writeFileSync(join(scene.rootfs, 'from-the-host'), '');
  });

  scenario('the rootfs is writable by default', async (scene) => {
    await scene.shell('echo hello > /file');
    expect(readFileSync(join(scene.rootfs, 'file'), 'utf8')).to.equal('hello\n');
  });

  scenario('an absolute root.path works', async (scene) => {
    const elsewhere = scene.path('elsewhere');
    renameSync(scene.rootfs, elsewhere);
    expect(await scene.shell('hostname', (config) => (config.root.path = elsewhere))).to.equal(
      'tsrun-test\n',
    );
  });

  scenario('a symbolic link to the rootfs works', async (scene) => {
    symlinkSync(scene.rootfs, scene.path('link'));
    expect(await scene.shell('hostname', (config) => (config.root.path = scene.path('link')))).to.equal(
      'tsrun-test\n',
    );
  });

  scenario('a rootfs with odd names in it works', async (scene) => {
    const odd = scene.path('a b\nc\\d"é');
    renameSync(scene.rootfs, odd);
    expect(await scene.shell('hostname', (config) => (config.root.path = odd))).to.equal('tsrun-test\n');
  });

  scenario('a missing rootfs, or a file in its place, is an error naming it', async (scene) => {
    const { stderr } = await scene.failure((config) => (config.root.path = 'missing'));
    expect(stderr).to.contain('missing').and.match(/root/);
    writeFileSync(join(scene.bundle, 'file'), '');
    expect((await scene.failure((config) => (config.root.path = 'file'))).stderr).to.match(/director/);
  });

  scenario('no root in the config is an error', async (scene) => {
    const { stderr } = await scene.failure((config) => Reflect.deleteProperty(config, 'root'));
    expect(stderr).to.match(/root/);
  });

  scenario('a config without mounts and linux works', async (scene) => {
    scene.writeConfig({
      ociVersion: '1.0.2',
      root: { path: 'rootfs' },
      process: { cwd: '/', args: ['echo', 'bare'], env: ['PATH=/bin'] },
    });
    const result = await scene.run();
    expect(result).to.include({ status: 0, stdout: 'bare\n' });
  });

  scenario('nothing of the old root is mounted any more', async (scene) => {
    const table = parseMountinfo(await scene.shell('cat /proc/self/mountinfo'));
    const allowed = ['/', '/proc', '/dev', '/sys'];
    for (const { destination } of table) {
      expect(allowed.some((path) => destination === path || destination.startsWith(`${path}/`))).to.equal(
        true,
      );
    }
    expect(table.filter(({ destination }) => destination === '/')).to.have.length(1);
  });

  scenario('--no-pivot gives the same view', async (scene) => {
    scene.configure((config) => (config.process.args = ['sh', '-c', 'ls /; echo $$; head -1 /etc/passwd']));
    const [pivot, moved] = [await scene.run(), await scene.run(['--no-pivot'])];
    expect(moved).to.include({ status: 0, stdout: pivot.stdout });
  });

  scenario('a rootfs that is a mount point of its own', async (scene) => {
    const folder = scene.path('mounted');
    mkdirSync(folder);
    execFileSync('mount', ['--bind', scene.rootfs, folder]);
    try {
      expect(await scene.shell('hostname', (config) => (config.root.path = folder))).to.equal('tsrun-test\n');
    } finally {
      execFileSync('umount', [folder]);
    }
  });

  scenario('a bundle on a shared mount: nothing of the container reaches the host', async (scene) => {
    const shared = scene.path('shared');
    mkdirSync(shared);
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', shared]);
    execFileSync('mount', ['--make-shared', shared]);
    try {
      execFileSync('cp', ['-a', scene.rootfs, join(shared, 'rootfs')]);
      const before = readFileSync('/proc/self/mountinfo', 'utf8');
      const id = scene.id();
      scene.configure((config) => {
        config.root.path = join(shared, 'rootfs');
        config.process.args = ['sleep', '1000'];
      });
      await scene.create(id);
      expect(readFileSync('/proc/self/mountinfo', 'utf8')).to.equal(before);
      await scene.delete(id, '--force');
    } finally {
      execFileSync('umount', ['-l', shared]);
    }
  });

  describe('rootfsPropagation', () => {
    for (const [value, holds] of [
      ['private', (text: string) => text === ''],
      ['rprivate', (text: string) => text === ''],
      ['shared', (text: string) => text.includes('shared:')],
      ['rshared', (text: string) => text.includes('shared:')],
      ['slave', (text: string) => !text.includes('shared:')],
      ['rslave', (text: string) => !text.includes('shared:')],
      ['unbindable', (text: string) => text.includes('unbindable')],
      ['runbindable', (text: string) => text.includes('unbindable')],
    ] as const) {
      scenario(`${value} holds on the container's /`, async (scene) => {
        const output = await scene.shell('cat /proc/self/mountinfo', (config) => {
          config.linux.rootfsPropagation = value;
        });
        expect(holds(mountAt(parseMountinfo(output), '/').propagation.join(' '))).to.equal(true);
      });
    }

    scenario('an unknown value is an error', async (scene) => {
      const { stderr } = await scene.failure((config) => (config.linux.rootfsPropagation = 'sideways'));
      expect(stderr).to.contain('sideways');
    });
  });

  scenario('missing mount points are made', async (scene) => {
    await scene.shell('test -d /not/there/yet', (config) => {
      config.mounts.push({ destination: '/not/there/yet', type: 'tmpfs', source: 'tmpfs' });
    });
    expect(existsSync(join(scene.rootfs, 'not/there/yet'))).to.equal(true);
    expect(readdirSync(join(scene.rootfs, 'not/there/yet'))).to.deep.equal([]);
  });
});
