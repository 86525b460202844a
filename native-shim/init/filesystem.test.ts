import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { constants as os } from 'node:os';
import { join } from 'node:path';
import { installation } from '../../lib/native/install.ts';
import { compile, isInstalled } from './testing/programs.ts';
import {
  ATIME,
  type ContainerRequest,
  inFolder,
  MS_PRIVATE,
  MS_SHARED,
  NOATIME,
  NODEV,
  NODIRATIME,
  NOEXEC,
  NOSUID,
  NOSYMFOLLOW,
  op,
  procfs,
  RDONLY,
  runContainer,
  shellIn,
  STRICTATIME,
  useImage,
  userMaps,
} from './testing/rootfs.ts';
import { mountFlags, type OpOf } from '../../lib/plan/wire.ts';
import { newNs } from './testing/ops.ts';
import type { TestOp } from './testing/plan.ts';
import { skip } from '../../lib/testing/skip.ts';

const { EINVAL, ELOOP, ENODEV, EPERM, ENOTDIR, ENOENT, E2BIG, ESTALE } = os.errno;

function filesystem(type: string, more: Partial<OpOf<'mountFilesystem'>> = {}): TestOp {
  return op('mountFilesystem', { destination: '/mnt', type, source: type, ...more });
}

/** Mount options, propagation, type and superblock options of the topmost mount on /mnt. */
const showMount =
  'grep " /mnt " /proc/self/mountinfo | tail -n 1 | sed "s/^[^ ]* [^ ]* [^ ]* [^ ]* [^ ]* //; s/ - / /"';

describe('mountFilesystem', () => {
  const image = useImage();

  const show = (mount: TestOp, request: ContainerRequest = {}): string =>
    shellIn(image, showMount, { ...request, ops: [procfs, mount] });
  const fail = (mount: TestOp, request: ContainerRequest = {}): [number, string] => {
    const { errno, detail } = runContainer(image, 'true', { ...request, ops: [procfs, mount] });
    return [errno, detail];
  };

  it('reports a fault of the type, an option or the destination', () => {
    const faultOf = (mount: TestOp): string => runContainer(image, 'true', { ops: [mount] }).fault;
    expect(faultOf(filesystem('nofs'))).to.equal('type');
    expect(faultOf(filesystem('tmpfs', { options: ['colour=red'] }))).to.equal('option');
    expect(faultOf(filesystem('ext4', { source: '/nowhere' }))).to.equal('none');
    expect(faultOf(filesystem('tmpfs', { destination: '/bin/busybox' }))).to.equal('destination');
  });

  describe('makes a', () => {
    it('tmpfs with its options', () => {
      const options = ['size=64k', 'mode=1750', 'nr_inodes=10', 'uid=3', 'gid=4'];
      expect(show(filesystem('tmpfs', { source: 'named', options }))).to.equal(
        'rw,relatime tmpfs named rw,size=64k,nr_inodes=10,mode=1750,uid=3,gid=4',
      );
    });

    it('devpts of its own', () => {
      const devpts = filesystem('devpts', {
        options: ['newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
      });
      const seen = shellIn(image, `${showMount}; ls /mnt`, { ops: [procfs, devpts] });
      expect(seen).to.equal('rw,relatime devpts devpts rw,gid=5,mode=620,ptmxmode=666\nptmx');
    });

    it('mqueue, sysfs, proc and cgroup2', () => {
      const namespaces = newNs.ipc | newNs.network | newNs.cgroup;
      expect(show(filesystem('mqueue'), { namespaces })).to.equal('rw,relatime mqueue mqueue rw');
      expect(show(filesystem('sysfs', { attributes: RDONLY }), { namespaces })).to.equal(
        'ro,relatime sysfs sysfs rw',
      );
      expect(show(filesystem('proc', { options: ['hidepid=2'] }))).to.match(
        /^rw,relatime proc proc rw,hidepid=/,
      );
      expect(show(filesystem('cgroup2'), { namespaces })).to.match(/^rw,relatime cgroup2 cgroup2 rw/);
    });

    it('cgroup v1 hierarchy', function () {
      // Its hierarchy has a number; cgroup v2 has 0.
      const controller = /^(\w+)\t[1-9]/m.exec(readFileSync('/proc/cgroups', 'utf8'))?.[1];
      if (controller === undefined) return skip(this, 'no controller is in a hierarchy of cgroup v1');
      const namespaces = newNs.cgroup;
      expect(show(filesystem('cgroup', { options: [controller] }), { namespaces })).to.contain(controller);
      expect(show(filesystem('cgroup', { options: ['none', 'name=systemd'] }), { namespaces })).to.contain(
        'name=systemd',
      );
    });

    it('overlay, with more layers than fsconfig(2) takes in one option', function () {
      const layers = Array.from({ length: 20 }, (_, i) => join(image.folder, `layer-with-a-long-name-${i}`));
      for (const [i, layer] of layers.entries()) writeFileSync(inFolder(join(layer, `file${i}`)), '');
      for (const name of ['upper', 'work']) mkdirSync(join(image.folder, name));
      const overlay = (lower: readonly string[], more: Partial<OpOf<'mountFilesystem'>> = {}): TestOp =>
        filesystem('overlay', {
          options: [
            `lowerdir=${lower.join(':')}`,
            `upperdir=${join(image.folder, 'upper')}`,
            `workdir=${join(image.folder, 'work')}`,
          ],
          ...more,
        });
      const probe = runContainer(image, 'true', { ops: [overlay(layers.slice(0, 2))] });
      if (probe.errno === ENODEV) return skip(this, 'this kernel has no overlay');
      const see = (mount: TestOp): string =>
        shellIn(image, `ls /mnt | wc -l; ${showMount}; touch /mnt/x 2>&1; true`, { ops: [procfs, mount] });
      expect(see(overlay(layers.slice(0, 2)))).to.match(/^2\nrw,relatime overlay overlay rw,/);
      execFileSync('rm', [join(image.folder, 'upper/x')]);
      const attributes = RDONLY | NODEV | NOSUID | NOATIME;
      // The mount is read-only, the superblock is not.
      expect(see(overlay(layers, { attributes, propagation: [MS_SHARED] }))).to.match(
        /^20\nro,nosuid,nodev,noatime shared:\d+ overlay overlay rw,.*\ntouch: .*Read-only/,
      );
      mkdirSync(join(image.rootfs, 'a/mnt'), { recursive: true });
      mkdirSync(join(image.rootfs, 'b/mnt'), { recursive: true });
      const swap = ['swap', join(image.rootfs, 'a'), join(image.rootfs, 'b'), installation().init];
      // The first one is the propagation of the host's mounts.
      const wrap = [compile('at-syscall', image.folder), 'mount', '2', ...swap];
      expect(fail(overlay(layers, { destination: '/a/mnt' }), { wrap })).to.deep.equal([
        ESTALE,
        'destination /a/mnt (replaced while it was mounted on)',
      ]);
      const tooMany = Array.from({ length: 300 }, () => layers[0] ?? '');
      expect(fail(overlay(tooMany))).to.deep.equal([
        E2BIG,
        'mount options longer than the 4095 bytes mount(2) takes',
      ]);
      expect(fail(overlay([...layers, '/nowhere']))).to.deep.equal([
        ENOENT,
        'filesystem overlay, options longer than 255 bytes',
      ]);
    });

    it('filesystem of a block device', function () {
      if (!existsSync('/dev/loop-control')) return skip(this, 'this host has no loop devices');
      if (!isInstalled('mke2fs')) return skip(this, 'mke2fs is missing (Debian: e2fsprogs)');
      const disk = join(image.folder, 'disk');
      writeFileSync(disk, Buffer.alloc(1 << 20));
      execFileSync('mke2fs', ['-q', '-t', 'ext4', disk], { stdio: 'pipe' });
      const device = execFileSync('losetup', ['--find', '--show', disk], { stdio: 'pipe' }).toString().trim();
      try {
        const mount = filesystem('ext4', { source: device, options: ['ro', 'errors=continue', 'iversion'] });
        expect(show(mount)).to.match(new RegExp(`^rw,relatime ext4 ${device} ro`));
        const bad = filesystem('ext4', { source: device, options: ['errors=sometimes'] });
        expect(fail(bad)[1]).to.contain('option errors=sometimes (');
      } finally {
        execFileSync('losetup', ['--detach', device]);
      }
    });

    it('filesystem only of what is one', () => {
      const ENOTBLK = 15;
      expect(fail(filesystem('ext4', { source: '/dev/null' }))).to.deep.equal([
        ENOTBLK,
        "filesystem ext4 (/dev/null: Can't lookup blockdev)",
      ]);
      expect(fail(filesystem('ext4', { source: '/nowhere' }))[0]).to.equal(ENOENT);
      expect(fail(filesystem('ext4', { source: '' }))[0]).to.equal(EINVAL);
    });
  });

  it('sets the attributes of the plan', () => {
    const all = RDONLY | NOSUID | NODEV | NOEXEC | NODIRATIME | NOSYMFOLLOW;
    expect(show(filesystem('tmpfs', { attributes: all | NOATIME }))).to.match(
      /^ro,nosuid,nodev,noexec,noatime,nodiratime,nosymfollow tmpfs tmpfs rw/,
    );
    expect(show(filesystem('tmpfs', { attributes: STRICTATIME }))).to.match(/^rw tmpfs/);
    expect(
      show(
        filesystem('tmpfs', {
          attributes: NOEXEC | NOATIME,
          recursiveSet: NODEV,
          recursiveClear: NOEXEC | ATIME,
        }),
      ),
    ).to.match(/^rw,nodev,relatime tmpfs/);
  });

  it('sets attributes on kernels without mount_setattr(2)', () => {
    const wrap = [compile('old-kernel', image.folder), installation().init];
    const attributes = RDONLY | NOSUID | NOSYMFOLLOW | NOATIME;
    expect(show(filesystem('tmpfs', { attributes, propagation: [MS_SHARED] }), { wrap })).to.match(
      /^ro,nosuid,noatime,nosymfollow shared:\d+ tmpfs/,
    );
    expect(show(filesystem('tmpfs', { recursiveSet: NODEV }), { wrap })).to.match(/^rw,nodev,relatime tmpfs/);
  });

  it('sets read-only and other flags of the superblock', () => {
    const options = ['ro', 'sync', 'dirsync', 'lazytime'];
    const seen = show(filesystem('tmpfs', { options }));
    expect(seen).to.match(/ ro,/);
    for (const flag of ['sync', 'dirsync', 'lazytime']) expect(seen).to.match(new RegExp(`,${flag}\\b`));
    // No tmpfs knows it, and nothing is lost.
    expect(show(filesystem('tmpfs', { options: ['iversion', 'size=4k'] }))).to.match(/size=4k/);
  });

  it('applies the propagations of the plan in their order', () => {
    expect(show(filesystem('tmpfs', { propagation: [MS_SHARED, MS_PRIVATE] }))).to.match(
      /^rw,relatime tmpfs/,
    );
    expect(show(filesystem('tmpfs', { propagation: [MS_PRIVATE, MS_SHARED] }))).to.match(
      /^rw,relatime shared:\d+ tmpfs/,
    );
  });

  it('gives a tmpfs the mode of the directory below it', () => {
    mkdirSync(join(image.rootfs, 'mnt'));
    chmodSync(join(image.rootfs, 'mnt'), 0o2711);
    const mode = (mount: TestOp): string => shellIn(image, 'stat -c %a /mnt', { ops: [mount] });
    expect(mode(filesystem('tmpfs'))).to.equal('2711');
    expect(mode(filesystem('tmpfs', { options: ['mode=700'] }))).to.equal('700');
    expect(
      shellIn(image, 'stat -c %a /new', { ops: [filesystem('tmpfs', { destination: '/new' })] }),
    ).to.equal('1777');
  });

  it('mounts over the rootfs itself', () => {
    execFileSync('cp', ['-a', join(image.rootfs, 'bin'), join(image.folder, 'bin')]);
    const ops = [
      filesystem('tmpfs', { destination: '/' }),
      op('mountBind', { destination: '/bin', source: join(image.folder, 'bin') }),
      procfs,
    ];
    const seen = shellIn(image, 'ls /; awk \'$5 == "/" {print $8, $9}\' /proc/self/mountinfo', { ops });
    expect(seen).to.match(/^bin\nproc\ntmpfs tmpfs/);
  });

  describe('reports', () => {
    it("the kernel's message about an option", () => {
      expect(fail(filesystem('tmpfs', { options: ['size=64k', 'size=tiny'] }))).to.deep.equal([
        EINVAL,
        "filesystem tmpfs, option size=tiny (tmpfs: Bad value for 'size')",
      ]);
      expect(fail(filesystem('tmpfs', { options: ['colour=red'] }))).to.deep.equal([
        EINVAL,
        "filesystem tmpfs, option colour=red (tmpfs: Unknown parameter 'colour')",
      ]);
      expect(fail(filesystem('tmpfs', { options: ['iversion', 'colour'] }))).to.deep.equal([
        EINVAL,
        "filesystem tmpfs, option colour (tmpfs: Unknown parameter 'colour')",
      ]);
    });

    it('an unknown type', () => {
      expect(fail(filesystem('nofs'))).to.deep.equal([ENODEV, 'filesystem nofs is not known to this kernel']);
    });

    it('a destination that is a file', () => {
      writeFileSync(join(image.rootfs, 'mnt'), '');
      expect(fail(filesystem('tmpfs'))).to.deep.equal([ENOTDIR, 'destination /mnt']);
    });

    it('the namespace that sysfs and proc need in a user namespace', () => {
      const request: ContainerRequest = { namespaces: newNs.user, atSync: userMaps };
      expect(fail(filesystem('sysfs'), request)).to.deep.equal([
        EPERM,
        'filesystem sysfs (a user namespace needs a network namespace of its own for it, and a /sys outside with ' +
          'nothing hidden)',
      ]);
      expect(fail(filesystem('mqueue'), request)).to.deep.equal([
        EPERM,
        'filesystem mqueue (a user namespace needs an ipc namespace of its own for it)',
      ]);
    });
  });

  describe('on /proc', () => {
    it('refuses every other type', () => {
      const { errno, detail } = runContainer(image, 'true', {
        ops: [filesystem('tmpfs', { destination: '/proc' })],
      });
      expect([errno, detail]).to.deep.equal([
        EPERM,
        'destination /proc (only procfs may be mounted on /proc)',
      ]);
    });

    it('refuses the directory that /proc is a link to', () => {
      execFileSync('rmdir', [join(image.rootfs, 'proc')]);
      symlinkSync('/tmp', join(image.rootfs, 'proc'));
      const { errno, detail } = runContainer(image, 'true', {
        ops: [filesystem('tmpfs', { destination: '/tmp' })],
      });
      expect([errno, detail]).to.deep.equal([
        EPERM,
        'destination /tmp (only procfs may be mounted on /proc)',
      ]);
    });

    it('refuses procfs on a link', () => {
      execFileSync('rmdir', [join(image.rootfs, 'proc')]);
      symlinkSync('/tmp', join(image.rootfs, 'proc'));
      const { errno, detail } = runContainer(image, 'true', { ops: [procfs] });
      expect(errno).to.equal(ELOOP);
      expect(detail).to.contain('must be a directory without symbolic links');
    });

    it('refuses a destination inside of procfs', () => {
      for (const destination of ['/proc', '/proc/sys', '/proc/self/attr', '/proc/1/fdinfo']) {
        const [errno, detail] = fail(filesystem('tmpfs', { destination }));
        expect([destination, errno]).to.deep.equal([destination, EPERM]);
        expect(detail).to.contain('(mounting inside /proc is not allowed)');
      }
      expect(fail(filesystem('proc', { destination: '/proc/sys' }))[0]).to.equal(EPERM);
    });

    it('mounts a procfs over a procfs', () => {
      const ops = [procfs, procfs, op('maskPath', { path: '/proc/kcore' })];
      expect(
        shellIn(image, 'test -e /proc/self/exe && grep -c " /proc " /proc/self/mountinfo', { ops }),
      ).to.equal('2');
    });

    it('mounts inside of procfs when the plan allows it', () => {
      const ops = [procfs, filesystem('tmpfs', { destination: '/proc/sys', flags: mountFlags.allowProc })];
      expect(shellIn(image, 'ls /proc/sys | wc -l', { ops })).to.equal('0');
    });
  });
});
