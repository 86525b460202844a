import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import {
  chownSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { constants as os } from 'node:os';
import { join } from 'node:path';
import { installation } from '../../lib/native/install.ts';
import { mountFlags, type OpOf, slots } from '../../lib/plan/wire.ts';
import { newNs } from './testing/ops.ts';
import type { TestOp } from './testing/plan.ts';
import { compile } from './testing/programs.ts';
import {
  ATIME,
  type ContainerRequest,
  inFolder,
  MS_PRIVATE,
  MS_REC,
  MS_SHARED,
  NOATIME,
  NODEV,
  NOEXEC,
  NOSUID,
  NOSYMFOLLOW,
  op,
  procfs,
  RDONLY,
  runContainer,
  shellIn,
  useImage,
  userMaps,
} from './testing/rootfs.ts';

const { EBADF, EINVAL, EISDIR, ENODEV, ENOENT, ENOSYS, ENOTDIR, EPERM, EEXIST, ESTALE } = os.errno;

/** O_CLOEXEC of open(2). */
const closeOnExec = 0o2000000;
const { sourceNoFollow: noFollow, recursive, ensureDirectory, allowProc } = mountFlags;

/** Mount point, options and propagation of the mounts below /mnt. */
const showMounts =
  'grep " /mnt" /proc/self/mountinfo | sed "s/^[^ ]* [^ ]* [^ ]* [^ ]* //; s/ - .*//" | sort';

describe('bind mounts', () => {
  let source: string;
  /** A mount on the host, below the source. */
  let below: string;
  const image = useImage(() => {
    execFileSync('umount', [below]);
  });
  beforeEach(() => {
    source = join(image.host, 'source');
    below = join(source, 'below');
    mkdirSync(below, { recursive: true });
    writeFileSync(join(source, 'file'), 'of the host');
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'nosuid', 'tsrun-test', below]);
    writeFileSync(join(below, 'file'), 'mounted');
  });

  const bind = (more: Partial<OpOf<'mountBind'>> = {}): TestOp =>
    op('mountBind', { destination: '/mnt', source, ...more });
  const remount = (more: Partial<OpOf<'remount'>> = {}): TestOp =>
    op('remount', { destination: '/mnt', ...more });
  const show = (ops: readonly TestOp[], request: ContainerRequest = {}): string =>
    shellIn(image, showMounts, { ...request, ops: [procfs, ...ops] });
  const fail = (ops: readonly TestOp[], request: ContainerRequest = {}): [number, string] => {
    const { errno, detail } = runContainer(image, 'true', { ...request, ops });
    return [errno, detail];
  };

  it('show the source, with `recursive` also what is mounted below it', () => {
    const script = 'cat /mnt/file /mnt/below/file 2>&1';
    expect(shellIn(image, `${script}; true`, { ops: [bind()] })).to.match(/^of the host.*No such file/);
    expect(shellIn(image, script, { ops: [bind({ flags: recursive })] })).to.equal('of the hostmounted');
  });

  it('set attributes of the top mount, or of all mounts', () => {
    expect(show([bind({ flags: recursive, attributesSet: RDONLY | NODEV })])).to.equal(
      '/mnt ro,nodev,relatime\n/mnt/below rw,nosuid,relatime',
    );
    expect(
      show([
        bind({
          flags: recursive,
          attributesSet: NOEXEC,
          recursiveSet: RDONLY | NOATIME,
          recursiveClear: NOSUID | ATIME,
        }),
      ]),
    ).to.equal('/mnt ro,noexec,noatime\n/mnt/below ro,noatime');
    expect(show([bind({ source: below, attributesClear: NOSUID })])).to.equal('/mnt rw,relatime');
    // The mount of the host is not the one that changed.
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).to.match(
      new RegExp(` ${below} rw,nosuid,relatime `),
    );
  });

  it('set attributes on kernels without mount_setattr(2), but not recursively', () => {
    const wrap = [compile('old-kernel', image.folder), installation().init];
    expect(
      show([bind({ source: below, attributesSet: RDONLY | NOATIME, attributesClear: ATIME })], { wrap }),
    ).to.equal('/mnt ro,nosuid,noatime');
    expect(show([bind({ source: below, attributesSet: NODEV, attributesClear: NOSUID })], { wrap })).to.equal(
      '/mnt rw,nodev,relatime',
    );
    expect(fail([bind({ recursiveSet: RDONLY })], { wrap })).to.deep.equal([
      ENOSYS,
      'recursive mount options',
    ]);
    expect(
      show(
        [
          bind({ source: join(source, 'file'), destination: '/mnt.file', propagation: [MS_SHARED] }),
          remount({ destination: '/mnt.file', attributesSet: RDONLY }),
          op('readonlyPath', { path: '/etc' }),
        ],
        { wrap },
      ),
    ).to.match(/^\/mnt.file ro,relatime shared:\d+$/);
  });

  it('clear attributes that are not named, unless the kernel has locked them', () => {
    const wraps = [[], [compile('old-kernel', image.folder), installation().init]];
    for (const wrap of wraps) {
      const clear = bind({ source: below, attributesSet: NODEV, attributesUnnamed: NOSUID | NOEXEC | ATIME });
      expect(show([clear], { wrap })).to.equal('/mnt rw,nodev,relatime');
      const user = { wrap, namespaces: newNs.user, atSync: userMaps };
      expect(show([clear], user)).to.equal('/mnt rw,nosuid,nodev,relatime');
      const slot = slots.first;
      const before = [op('cloneTree', { slot, path: below })];
      expect(show([{ ...clear, slot } as TestOp], { ...user, before })).to.equal(
        '/mnt rw,nosuid,nodev,relatime',
      );
      // What has not been locked can be cleared there, too.
      const own = op('mountFilesystem', {
        destination: '/t',
        type: 'tmpfs',
        source: 'x',
        attributes: NOEXEC,
      });
      const again = bind({ inside: '/t', source: 't', attributesSet: NODEV, attributesUnnamed: NOEXEC });
      expect(show([own, again], user)).to.equal('/mnt rw,nodev,relatime');
      expect(fail([bind({ source: below, attributesClear: NOSUID })], user)[0]).to.equal(EPERM);
    }
  });

  it('refuse attributes that mount(2) does not know on kernels without mount_setattr(2)', () => {
    const wrap = [compile('old-kernel', image.folder), installation().init];
    const refusal = [ENOSYS, 'mount options that mount(2) does not know'];
    // Of idmapped mounts, and of a kernel to come.
    for (const unknown of [0x100000, 0x800000]) {
      expect(fail([bind({ attributesSet: RDONLY | unknown })], { wrap })).to.deep.equal(refusal);
      expect(fail([bind({ attributesClear: unknown })], { wrap })).to.deep.equal(refusal);
      expect(fail([bind(), remount({ attributesSet: unknown })], { wrap })).to.deep.equal(refusal);
      const tmpfs = op('mountFilesystem', { destination: '/mnt', type: 'tmpfs', source: 'tmpfs' });
      expect(fail([{ ...tmpfs, attributes: unknown } as TestOp], { wrap })).to.deep.equal(refusal);
    }
    expect(show([bind({ attributesSet: NOSYMFOLLOW })], { wrap })).to.equal('/mnt rw,relatime,nosymfollow');
    expect(show([bind(), remount({ attributesSet: NOSYMFOLLOW })], { wrap })).to.equal(
      '/mnt rw,relatime,nosymfollow',
    );
  });

  it('get the propagation of the plan', () => {
    expect(show([bind({ flags: recursive, propagation: [MS_SHARED] })])).to.match(
      /^\/mnt rw,relatime shared:\d+\n\/mnt\/below rw,nosuid,relatime$/,
    );
    expect(show([bind({ flags: recursive, propagation: [MS_SHARED | MS_REC, MS_PRIVATE] })])).to.match(
      /^\/mnt rw,relatime\n\/mnt\/below rw,nosuid,relatime shared:\d+$/,
    );
  });

  it('fail when the destination was moved while they were mounted', () => {
    mkdirSync(join(image.rootfs, 'a/mnt'), { recursive: true });
    mkdirSync(join(image.rootfs, 'b/mnt'), { recursive: true });
    const swap = ['swap', join(image.rootfs, 'a'), join(image.rootfs, 'b'), installation().init];
    // The first one is that of the rootfs.
    const wrap = [compile('at-syscall', image.folder), 'move_mount', '2', ...swap];
    const tmpfs = op('mountFilesystem', { destination: '/a/mnt', type: 'tmpfs', source: 'tmpfs' });
    for (const mount of [bind({ destination: '/a/mnt' }), tmpfs]) {
      expect(fail([mount], { wrap })).to.deep.equal([
        ESTALE,
        'destination /a/mnt (replaced while it was mounted on)',
      ]);
    }
  });

  it('make a file as destination of a file, a device or a socket', () => {
    const ops = [
      bind({ source: join(source, 'file'), destination: '/a/file' }),
      bind({ source: '/dev/null', destination: '/a/null' }),
    ];
    expect(shellIn(image, 'cat /a/file; test -c /a/null', { ops })).to.equal('of the host');
  });

  it('follow a link as source, or mount the link itself', () => {
    const link = join(image.host, 'link');
    symlinkSync('source/file', link);
    const ops = [
      bind({ source: link, destination: '/a' }),
      bind({ source: link, destination: '/b', flags: noFollow }),
    ];
    expect(shellIn(image, 'cat /a; readlink /b', { ops })).to.equal('of the hostsource/file');
  });

  it('make a directory for a file when told to', () => {
    expect(fail([bind({ source: join(source, 'file'), flags: ensureDirectory })])).to.deep.equal([
      EISDIR,
      'destination /mnt (the source is not a directory)',
    ]);
    expect(statSync(join(image.rootfs, 'mnt')).isDirectory()).to.equal(true);
  });

  it('name a source that is wrong', () => {
    expect(fail([bind({ source: '/no/where' })])).to.deep.equal([ENOENT, '/no/where']);
    expect(fail([bind({ source: `${source}/file/x` })])).to.deep.equal([ENOTDIR, `${source}/file/x`]);
    expect(fail([bind({ slot: slots.first })])).to.deep.equal([EBADF, `slot ${slots.first} is empty`]);
  });

  it('report a fault of the source, the destination, the attributes or the propagation', () => {
    const faultOf = (...ops: TestOp[]): string => runContainer(image, 'true', { ops }).fault;
    expect(faultOf(bind({ source: '/no/where' }))).to.equal('source');
    expect(faultOf(bind({ source: '/x', inside: '/no/where' }))).to.equal('sourceInRootfs');
    expect(faultOf(bind({ slot: slots.first }))).to.equal('none');
    expect(faultOf(bind({ destination: '/bin/busybox' }))).to.equal('destination');
    expect(faultOf(remount({ destination: '/no/where' }))).to.equal('destination');
    expect(faultOf(remount({ destination: '/bin', attributesSet: 1n }))).to.equal('attribute');
    expect(faultOf(remount({ destination: '/bin', propagation: [0x40000] }))).to.equal('propagation');
  });

  it('name the destination when it and the source are of different kinds', () => {
    writeFileSync(join(image.rootfs, 'etc/file'), '');
    expect(fail([bind({ destination: '/etc/file' })])).to.deep.equal([
      ENOTDIR,
      'destination /etc/file (the source is a directory)',
    ]);
    expect(fail([bind({ source: join(source, 'file'), destination: '/etc' })])).to.deep.equal([
      EISDIR,
      'destination /etc (the source is not a directory)',
    ]);
  });

  describe('on /proc', () => {
    it('refuse everything but a whole procfs on /proc', () => {
      expect(fail([bind({ destination: '/proc' })])).to.deep.equal([
        EPERM,
        'destination /proc (only procfs may be mounted on /proc)',
      ]);
      expect(fail([bind({ destination: '/proc', source: '/proc/sys' })])[0]).to.equal(EPERM);
      const ops = [bind({ destination: '/proc', source: '/proc', flags: recursive })];
      expect(shellIn(image, 'test -d /proc/self/fd', { ops })).to.equal('');
    });

    it('refuse a destination inside of procfs', () => {
      const file = join(source, 'file');
      for (const destination of ['/proc/self/attr/exec', '/proc/sys/kernel/hostname', '/proc/1/status']) {
        const [errno, detail] = fail([procfs, bind({ source: file, destination })]);
        expect([errno, detail]).to.deep.equal([
          EPERM,
          detail.replace(/ \(.*/, ' (mounting inside /proc is not allowed)'),
        ]);
      }
      symlinkSync('/proc/sys/kernel', join(image.rootfs, 'kernel'));
      expect(fail([procfs, bind({ source: file, destination: '/kernel/hostname' })])[0]).to.equal(EPERM);
      expect(fail([procfs, op('deviceBind', { source: '/dev/null', path: '/proc/stat' })])[0]).to.equal(
        EPERM,
      );
      const ops = [procfs, bind({ source: file, destination: '/proc/uptime', flags: allowProc })];
      expect(shellIn(image, 'cat /proc/uptime', { ops })).to.equal('of the host');
    });
  });

  describe('of clones that process A has made', () => {
    const slot = slots.first;
    const clone = (flags = 0): TestOp => op('cloneTree', { slot, path: source, flags });

    it('attach the clone that is in a slot', () => {
      const request = { before: [clone(recursive)], ops: [procfs, bind({ slot, source })] };
      expect(shellIn(image, 'cat /mnt/below/file', request)).to.equal('mounted');
    });

    it('leave no descriptor open after execve', () => {
      const userSlot = slot + 1;
      const descriptors: string[] = [];
      const before = [
        op('makeUserNamespace', { slot: userSlot, uidMap: '0 7 1\n', gidMap: '0 8 1\n' }),
        clone(recursive),
        op('cloneInside', { slot: slot + 2, root: image.rootfs, path: '/etc' }),
        op('openNamespace', { slot: slot + 3, type: 0x04000000, path: '/proc/self/ns/uts' }),
        op('openTimeOffsets', { slot: slot + 4 }),
        op('openCgroup', { slot: slot + 5, path: join(source, 'file') }),
      ];
      shellIn(image, 'true', {
        before,
        ops: [procfs, op('maskPath', { path: '/etc' }), op('sync', { point: 2 })],
        atSync: (_, pid) => {
          for (const fd of readdirSync(`/proc/${pid}/fdinfo`).filter((name) => Number(name) > 2)) {
            const flags = /^flags:\s+([0-7]+)$/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1];
            const target = readlinkSync(`/proc/${pid}/fd/${fd}`);
            descriptors.push(`${target} ${parseInt(flags ?? '', 8) & closeOnExec ? 'closes' : 'stays'}`);
          }
          return [];
        },
      });
      expect(descriptors).to.have.length.above(before.length);
      expect(descriptors.filter((line) => !line.endsWith(' closes'))).to.deep.equal([]);
    });

    it('empty the slot when the clone is mounted, or another one instead', () => {
      const open = (before: readonly TestOp[], flags: number): number => {
        let count = 0;
        shellIn(image, 'true', {
          before,
          ops: [bind({ source: 'etc', inside: '/etc', slot, flags }), op('sync', { point: 2 })],
          atSync: (_, pid) => {
            count = readdirSync(`/proc/${pid}/fd`).length;
            return [];
          },
        });
        return count;
      };
      for (const flags of [0, recursive]) {
        const before = [op('cloneInside', { slot, root: image.rootfs, path: '/etc', flags })];
        expect(open(before, flags), String(flags)).to.equal(open([], flags));
      }
    });

    it("are no peers of the host's mounts", () => {
      execFileSync('mount', ['--make-shared', below]);
      const ops = [procfs, bind({ slot, attributesSet: NODEV })];
      const before = [op('cloneTree', { slot, path: below })];
      expect(shellIn(image, showMounts, { before, ops })).to.match(
        /^\/mnt rw,nosuid,nodev,relatime master:\d+$/,
      );
      expect(shellIn(image, showMounts, { before, ops, hostPropagation: MS_PRIVATE | MS_REC })).to.equal(
        '/mnt rw,nosuid,nodev,relatime',
      );
    });

    it('show a source that only process A may reach', () => {
      execFileSync('chmod', ['700', image.host]);
      chownSync(image.host, 1234, 1234);
      const request = { namespaces: newNs.user, atSync: userMaps, before: [clone(recursive)] };
      expect(shellIn(image, 'cat /mnt/file', { ...request, ops: [bind({ slot })] })).to.equal('of the host');
      expect(fail([bind({ flags: recursive })], { ...request, before: [] })).to.deep.equal([
        os.errno.EACCES,
        source,
      ]);
    });

    it('map ids of a clone', () => {
      chownSync(join(source, 'file'), 1000, 2000);
      const userSlot = slot + 1;
      const before = [
        op('makeUserNamespace', { slot: userSlot, uidMap: '1000 7 1\n', gidMap: '2000 8 1\n' }),
        clone(),
        op('idmapTree', { slot, userSlot }),
      ];
      expect(shellIn(image, 'stat -c %u:%g /mnt/file', { before, ops: [bind({ slot })] })).to.equal('7:8');
    });

    it('map ids below a clone only when the plan says so', () => {
      chownSync(join(below, 'file'), 1000, 2000);
      const userSlot = slot + 1;
      const ownerBelow = (recursiveIds: number): string =>
        shellIn(image, 'stat -c %u:%g /mnt/below/file', {
          before: [
            op('makeUserNamespace', { slot: userSlot, uidMap: '1000 7 1\n', gidMap: '2000 8 1\n' }),
            clone(recursive),
            op('idmapTree', { slot, userSlot, recursive: recursiveIds }),
          ],
          ops: [bind({ slot })],
        });
      expect(ownerBelow(1)).to.equal('7:8');
      expect(ownerBelow(0)).to.equal('1000:2000');
    });

    it('report a filesystem or a kernel that cannot map ids', () => {
      const userSlot = slot + 1;
      const before = [
        op('makeUserNamespace', { slot: userSlot, uidMap: '0 7 1\n', gidMap: '0 8 1\n' }),
        op('cloneTree', { slot, path: '/proc' }),
        op('idmapTree', { slot, userSlot }),
      ];
      expect(fail([], { before })).to.deep.equal([
        EINVAL,
        'idmapped mount (the filesystem cannot do it on this kernel, or the mount is idmapped already)',
      ]);
      const wrap = [compile('old-kernel', image.folder), installation().init];
      expect(fail([], { before, wrap })).to.deep.equal([ENOSYS, 'idmapped mount']);
    });
  });

  describe('remount', () => {
    it('changes the attributes of a mount', () => {
      expect(
        show([bind({ flags: recursive, attributesSet: NODEV }), remount({ attributesSet: RDONLY })]),
      ).to.equal('/mnt ro,nodev,relatime\n/mnt/below rw,nosuid,relatime');
      expect(show([bind({ flags: recursive }), remount({ recursiveSet: RDONLY })])).to.equal(
        '/mnt ro,relatime\n/mnt/below ro,nosuid,relatime',
      );
      expect(show([bind(), remount({ propagation: [MS_SHARED] })])).to.match(
        /^\/mnt rw,relatime shared:\d+$/,
      );
    });

    it('changes options of the filesystem', () => {
      const tmpfs = op('mountFilesystem', {
        destination: '/mnt',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['size=64k'],
      });
      const seen = (options: string[], attributesSet = 0): string =>
        shellIn(image, 'grep " /mnt " /proc/self/mountinfo | sed "s/.* - //"', {
          ops: [procfs, tmpfs, remount({ options, attributesSet })],
        });
      expect(seen(['size=32k', 'ro'])).to.match(/^tmpfs tmpfs ro,size=32k/);
      expect(fail([tmpfs, remount({ options: ['size=x'] })])).to.deep.equal([
        EINVAL,
        "filesystem on /mnt, option size=x (tmpfs: Bad value for 'size')",
      ]);
    });

    it('refuses a destination that is no mount', () => {
      expect(fail([remount({ destination: '/etc', attributesSet: RDONLY })])).to.deep.equal([
        EINVAL,
        'mount options (not a mount point, or not known to this kernel)',
      ]);
      expect(fail([remount({ destination: '/etc', options: ['ro'] })])).to.deep.equal([
        EINVAL,
        'destination /etc (not a mount point)',
      ]);
      expect(fail([remount({ destination: '/nowhere', attributesSet: RDONLY })])).to.deep.equal([
        ENOENT,
        '/nowhere',
      ]);
    });

    it('cannot clear attributes that the outer user namespace has set', () => {
      const ops = [bind({ source: below }), remount({ attributesClear: NOSUID })];
      expect(fail(ops, { namespaces: newNs.user, atSync: userMaps })).to.deep.equal([
        EPERM,
        'mount options (in a user namespace those of the source cannot be lifted)',
      ]);
    });
  });

  describe('of devices', () => {
    const device = (more: Partial<OpOf<'deviceBind'>> = {}): TestOp =>
      op('deviceBind', { path: '/dev/deep/null', source: '/dev/null', ...more });

    it('show the device at the destination', () => {
      expect(
        shellIn(image, 'stat -c %t:%T /dev/deep/null; echo x > /dev/deep/null', { ops: [device()] }),
      ).to.equal('1:3');
      const request = { namespaces: newNs.user, atSync: userMaps, ops: [device()] };
      expect(shellIn(image, 'echo x > /dev/deep/null', request)).to.equal('');
      const slot = slots.first;
      const before = [op('cloneTree', { slot, path: '/dev/null' })];
      expect(
        shellIn(image, 'echo x > /dev/deep/null', { ...request, before, ops: [device({ slot })] }),
      ).to.equal('');
    });

    it('refuse a source that is no device', () => {
      expect(fail([device({ source: join(source, 'file') })])).to.deep.equal([
        ENODEV,
        `${source}/file (must be a device)`,
      ]);
      expect(fail([device({ source: '/dev/nothing' })])).to.deep.equal([ENOENT, '/dev/nothing']);
    });

    it('refuse a link or a directory as destination', () => {
      symlinkSync(join(image.host, 'made'), inFolder(join(image.rootfs, 'dev/deep/null')));
      for (let i = 0; i < 2; i++) {
        expect(fail([device()])).to.deep.equal([
          EEXIST,
          '/dev/deep/null (in the rootfs, a link or a directory)',
        ]);
        execFileSync('rm', ['-r', join(image.rootfs, 'dev/deep/null')]);
        mkdirSync(join(image.rootfs, 'dev/deep/null'));
      }
    });
  });
});
