import { expect } from 'chai';
import { execFileSync, spawn } from 'node:child_process';
import { lstatSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { constants as os } from 'node:os';
import { join } from 'node:path';
import { installation } from '../../lib/native/install.ts';
import { mountFlags } from '../../lib/plan/wire.ts';
import type { TestOp } from './testing/plan.ts';
import { compile } from './testing/programs.ts';
import { listing, op, procfs, runContainer, shellIn, useImage } from './testing/rootfs.ts';

const { ELOOP, ENAMETOOLONG, ENOTDIR } = os.errno;

function tmpfs(destination: string, flags = 0): TestOp {
  return op('mountFilesystem', { destination, type: 'tmpfs', source: 'tmpfs', flags });
}

/** Where something is mounted in a container with these operations, besides / and /proc. */
const listMounts = 'cut -d" " -f5 /proc/self/mountinfo | grep -vxE "/|/proc"';

describe('paths in the rootfs', () => {
  let marker = '';
  /** What the test itself has put on the host's side. */
  let untouched: readonly string[] = [];
  const image = useImage(() => {
    // Nothing of the host's has been touched, whatever the test was.
    expect(listing(image.host)).to.deep.equal(untouched);
  });
  beforeEach(() => {
    untouched = [];
    marker = join(image.folder, 'marker');
    writeFileSync(marker, 'marked');
  });

  const mounted = (ops: readonly TestOp[]): string => shellIn(image, listMounts, { ops: [procfs, ...ops] });
  const bindMarker = (destination: string): TestOp => op('mountBind', { destination, source: marker });

  describe('that are missing', () => {
    it('are made as directories with 0755, whatever the umask', () => {
      const umask = process.umask(0o077);
      try {
        expect(mounted([tmpfs('/a/b/c')])).to.equal('/a/b/c');
      } finally {
        process.umask(umask);
      }
      expect(statSync(join(image.rootfs, 'a/b')).mode & 0o7777).to.equal(0o755);
    });

    it('are made as an empty file for a file', () => {
      expect(mounted([bindMarker('/a/file')])).to.equal('/a/file');
      const st = statSync(join(image.rootfs, 'a/file'));
      expect([st.isFile(), st.size, st.mode & 0o7777]).to.deep.equal([true, 0, 0o644]);
    });

    it('are looked up and made by calls that cannot leave the rootfs', () => {
      symlinkSync('/run/store', join(image.rootfs, 'etc/link'));
      const wrap = [
        compile('at-syscall', image.folder),
        'openat2',
        '0',
        'scoped',
        '-',
        '-',
        installation().init,
      ];
      const ops = [procfs, tmpfs('/etc/link/a/../b'), bindMarker('/etc/link/b/c/file')];
      const devices = [op('device', { path: '/dev/x/null', mode: 0o20666, major: 1, minor: 3 })];
      const copied = op('mountFilesystem', {
        destination: '/etc',
        type: 'tmpfs',
        source: 'tmpfs',
        flags: mountFlags.copyUp,
      });
      const after = [op('maskPath', { path: '/etc/link/b' })];
      expect(shellIn(image, listMounts, { wrap, ops: [...ops, ...devices, copied], after })).to.equal(
        '/run/store/b\n/run/store/b/c/file\n/etc\n/run/store/b',
      );
    });

    it('may be written with extra slashes and dots', () => {
      expect(mounted([tmpfs('//a/./b//'), bindMarker('/c/./d/')])).to.equal('/a/b\n/c/d');
    });

    it('are made behind a dangling link, inside the rootfs', () => {
      symlinkSync('/run/store/deep', join(image.rootfs, 'etc/dangling'));
      symlinkSync('../../../../run/host.conf', join(image.rootfs, 'etc/resolv.conf'));
      expect(mounted([tmpfs('/etc/dangling/x'), bindMarker('/etc/resolv.conf')])).to.equal(
        '/run/store/deep/x\n/run/host.conf',
      );
      expect(lstatSync(join(image.rootfs, 'etc/dangling')).isSymbolicLink()).to.equal(true);
    });

    it('are made below ".." as the kernel would walk it', () => {
      symlinkSync('/a/b', join(image.rootfs, 'link'));
      // /link/../c is /a/c, not /c.
      expect(mounted([tmpfs('/a/b'), tmpfs('/link/../c')])).to.equal('/a/b\n/a/c');
    });
  });

  describe('that want to leave', () => {
    it('through an absolute link stay inside', () => {
      symlinkSync(image.host, join(image.rootfs, 'out'));
      expect(mounted([tmpfs('/out/dir'), bindMarker('/out/file')])).to.equal(
        `${image.host}/dir\n${image.host}/file`,
      );
    });

    it('through a relative link stay inside', () => {
      symlinkSync(`../../../../../../../../..${image.host}`, join(image.rootfs, 'etc/out'));
      expect(mounted([tmpfs('/etc/out')])).to.equal(image.host);
    });

    it('through ".." stay inside', () => {
      expect(mounted([tmpfs('/../../../../x'), tmpfs('/etc/../../..'.concat(image.host))])).to.equal(
        `/x\n${image.host}`,
      );
    });

    it('through a magic link of procfs are refused', () => {
      // /proc/self/cwd leads out of the rootfs, and /proc/1/root does.
      for (const path of ['/proc/self/cwd', '/proc/1/root', '/proc/self/fd/0']) {
        symlinkSync(`${path}${image.host}`, join(image.rootfs, 'magic'));
        const result = runContainer(image, 'true', { ops: [procfs, tmpfs('/magic')] });
        expect([result.errno, result.failed], path).to.deep.equal([ELOOP, 'mountFilesystem']);
        execFileSync('rm', [join(image.rootfs, 'magic')]);
      }
    });
  });

  it('with a link are refused where none is allowed', () => {
    symlinkSync('/tmp', join(image.rootfs, 'link'));
    mkdirSync(join(image.rootfs, 'tmp/dir'));
    for (const path of ['/link', '/link/dir', '/link/new', '/tmp/../link/dir']) {
      const result = runContainer(image, 'true', { ops: [tmpfs(path, 1)] });
      expect([result.errno, result.failed], path).to.deep.equal([ELOOP, 'mountFilesystem']);
      expect(result.detail).to.contain('without symbolic links');
    }
    expect(mounted([tmpfs('/tmp/dir/new', 1)])).to.equal('/tmp/dir/new');
  });

  it('with a chain of links work, and with a loop are refused', () => {
    for (let i = 0; i < 30; i++) symlinkSync(`/l${i + 1}`, join(image.rootfs, `l${i}`));
    symlinkSync('/new/end', join(image.rootfs, 'l30'));
    expect(mounted([tmpfs('/l0')])).to.equal('/new/end');
    symlinkSync('loop', join(image.rootfs, 'loop'));
    const result = runContainer(image, 'true', { ops: [tmpfs('/loop/x')] });
    expect([result.errno, result.detail]).to.deep.equal([ELOOP, '/loop/x (below / of the rootfs)']);
  });

  it('through a file are refused', () => {
    writeFileSync(join(image.rootfs, 'etc/file'), '');
    const result = runContainer(image, 'true', { ops: [tmpfs('/etc/file/x')] });
    expect([result.errno, result.detail]).to.deep.equal([ENOTDIR, '/etc/file/x']);
  });

  it('that are too long are refused', () => {
    const long = [
      '/'.concat('n'.repeat(256)),
      '/d'.repeat(2049),
      '/d'.repeat(40_000),
      `/etc/${'n'.repeat(4000)}`,
    ];
    symlinkSync('x/'.repeat(2047), join(image.rootfs, 'longlink'));
    symlinkSync(`/longlink/${'y/'.repeat(2000)}`, join(image.rootfs, 'longer'));
    for (const path of [...long, '/longer'.concat('/z'.repeat(2000))]) {
      const result = runContainer(image, 'true', { ops: [tmpfs(path)] });
      expect([result.errno, result.failed], path.slice(0, 20)).to.deep.equal([
        ENAMETOOLONG,
        'mountFilesystem',
      ]);
    }
  });

  it('may be as deep as a path may be long', () => {
    const deep = '/d'.repeat(2040);
    expect(mounted([tmpfs(deep)])).to.equal(deep);
  });

  it('may name FIFOs and devices, which are mounted over and never opened', () => {
    execFileSync('mkfifo', [join(image.rootfs, 'etc/fifo')]);
    // No driver has this number: opening it would fail.
    execFileSync('mknod', [join(image.rootfs, 'etc/device'), 'c', '4095', '7']);
    execFileSync('mkfifo', [join(image.folder, 'fifo')]);
    const ops = [
      bindMarker('/etc/fifo'),
      bindMarker('/etc/device'),
      op('mountBind', { destination: '/etc/source', source: join(image.folder, 'fifo') }),
    ];
    expect(shellIn(image, 'cat /etc/fifo /etc/device; test -p /etc/source', { ops })).to.equal(
      'markedmarked',
    );
  });

  it('through /dev as a link to the host stay inside', () => {
    execFileSync('rmdir', [join(image.rootfs, 'dev')]);
    symlinkSync(image.host, join(image.rootfs, 'dev'));
    const ops = [
      op('device', { path: '/dev/null', mode: 0o20666, major: 1, minor: 3 }),
      op('deviceBind', { path: '/dev/zero', source: '/dev/zero' }),
      op('symlink', { path: '/dev/fd', target: '/proc/self/fd' }),
      op('symlink', { path: '/dev/ptmx', target: 'pts/ptmx', replace: 1 }),
    ];
    writeFileSync(join(image.host, 'ptmx'), 'of the host');
    shellIn(image, `test -c ${image.host}/null && test -L ${image.host}/ptmx`, { ops });
    expect(readFileSync(join(image.host, 'ptmx'), 'utf8')).to.equal('of the host');
    execFileSync('rm', [join(image.host, 'ptmx')]);
  });

  describe('that change all the time', function () {
    this.timeout(30_000);

    /** Directories that exist inside as well as on the host, so that a mount could land in either. */
    const twins = ['deep', 'deep/twin0', 'deep/twin1'];
    const makeTwins = (folder: string): void => {
      for (const twin of twins) mkdirSync(join(folder, twin), { recursive: true });
    };

    /**
     * Mounts in `destination` again and again while `a` and `b` change places: on what exists and on what does
     * not. Nothing may be mounted or made on the host. Returns how many containers could be made.
     */
    function race(a: string, b: string, destination: string): number {
      makeTwins(image.host);
      untouched = twins;
      const swapper = spawn(compile('swap', image.folder), [a, b], { stdio: 'inherit' });
      const end = Date.now() + 2000;
      let made = 0;
      try {
        for (let n = 0; Date.now() < end; n++) {
          const fresh = Array.from({ length: 4 }, (_, i) => `${destination}/deep/new${n}-${i}`);
          const places = [`${destination}/deep/twin0`, `${destination}/deep/twin1`, ...fresh];
          const outside: string[] = [];
          const result = runContainer(image, 'true', {
            ops: [
              ...places.map((place) => tmpfs(place)),
              ...places.map((place) => bindMarker(`${place}/file`)),
              ...fresh.map((place) => op('symlink', { path: `${place}x/link`, target: 'x' })),
              op('sync', { point: 2 }),
            ],
            atSync: (_, pid) => {
              const points = readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
                .split('\n')
                .map((line) => line.split(' ')[4] ?? '');
              outside.push(...points.filter((point) => point.startsWith(image.host)));
              return [];
            },
          });
          expect(outside).to.deep.equal([]);
          expect(listing(image.host)).to.deep.equal(untouched);
          if (result.errno === 0) made++;
        }
      } finally {
        swapper.kill('SIGKILL');
      }
      return made;
    }

    it('from directory to link and back never lead out', () => {
      const volume = join(image.rootfs, 'vol');
      makeTwins(join(volume, 'dir'));
      symlinkSync(image.host, join(volume, 'absolute'));
      expect(race(join(volume, 'dir'), join(volume, 'absolute'), '/vol/dir')).to.be.above(0);
    });

    it('from directory to a link with ".." and back never lead out', () => {
      const volume = join(image.rootfs, 'vol');
      makeTwins(join(volume, 'dir'));
      symlinkSync(`../../../../../..${image.host}`, join(volume, 'up'));
      expect(race(join(volume, 'dir'), join(volume, 'up'), '/vol/dir/../dir')).to.be.above(0);
    });

    it('by being moved out of the rootfs never lead out', () => {
      // What ".." means changes while it is walked: with the directory moved to the host's side.
      const inside = join(image.rootfs, 'vol/a');
      const outside = join(image.folder, 'outside');
      mkdirSync(join(inside, 'b/c'), { recursive: true });
      mkdirSync(join(outside, 'b/c'), { recursive: true });
      race(inside, outside, '/vol/a/b/c/../../../host');
      race(inside, outside, `/vol/a/b/c/../../../../../..${image.host}`);
    });
  });
});
