import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { constants as os } from 'node:os';
import { join } from 'node:path';
import type { OpOf } from '../../lib/plan/wire.ts';
import { newNs } from './testing/ops.ts';
import type { TestOp } from './testing/plan.ts';
import { op, procfs, runContainer, shellIn, userMaps, useImage } from './testing/rootfs.ts';

const { EEXIST, EINVAL, EISDIR, ENOTEMPTY, EPERM } = os.errno;

describe('in /dev', () => {
  let dev: string;
  const image = useImage();
  beforeEach(() => {
    dev = join(image.rootfs, 'dev');
  });

  const fail = (ops: readonly TestOp[], request = {}): [number, string] => {
    const { errno, detail } = runContainer(image, 'true', { ...request, ops });
    return [errno, detail];
  };

  describe('device', () => {
    const device = (more: Partial<OpOf<'device'>> = {}): TestOp =>
      op('device', { path: '/dev/node', mode: 0o20666, major: 1, minor: 3, ...more });
    const see = (...ops: TestOp[]): string => shellIn(image, 'stat -c "%f %t:%T %u:%g" /dev/node', { ops });

    it('makes a node with the type, number, mode and owner of the plan, whatever the umask', () => {
      const umask = process.umask(0o077);
      try {
        expect(see(device({ uid: 5, gid: 6 }))).to.equal('21b6 1:3 5:6');
        execFileSync('rm', [join(dev, 'node')]);
        expect(see(device({ mode: 0o60640, major: 4095, minor: 1048575 }))).to.equal('61a0 fff:fffff 0:0');
        execFileSync('rm', [join(dev, 'node')]);
        expect(see(device({ mode: 0o10604 }))).to.equal('1184 0:0 0:0');
        expect(see(device({ path: '/dev/node2/deep/node' }), device({ mode: 0o10604 }))).to.equal(
          '1184 0:0 0:0',
        );
        expect(statSync(join(dev, 'node2')).mode & 0o777).to.equal(0o755);
      } finally {
        process.umask(umask);
      }
    });

    it('keeps a node that is equal, and refuses another one', () => {
      execFileSync('mknod', ['-m', '600', join(dev, 'node'), 'c', '1', '3']);
      expect(see(device({ uid: 7 }))).to.equal('2180 1:3 0:0');
      const different = [
        device({ minor: 5 }),
        device({ major: 2 }),
        device({ mode: 0o60666 }),
        device({ mode: 0o10666 }),
      ];
      for (const other of different) {
        expect(fail([other])).to.deep.equal([EEXIST, '/dev/node (in the rootfs, and not this device)']);
      }
    });

    it('refuses a file, directory or link at its path', () => {
      writeFileSync(join(dev, 'file'), '');
      mkdirSync(join(dev, 'directory'));
      symlinkSync('/dev/real', join(dev, 'link'));
      symlinkSync(join(image.host, 'made'), join(dev, 'dangling'));
      execFileSync('mknod', [join(dev, 'real'), 'c', '1', '3']);
      for (const name of ['file', 'directory', 'link', 'dangling']) {
        expect(fail([device({ path: `/dev/${name}` })])).to.deep.equal([
          EEXIST,
          `/dev/${name} (in the rootfs, and not this device)`,
        ]);
      }
    });

    it('refuses impossible names and device numbers', () => {
      for (const path of ['/dev/..', '/', '/dev/.', '']) {
        expect(fail([device({ path })])).to.deep.equal([EINVAL, `${path} (names no file)`]);
      }
      for (const number of [{ major: 4096 }, { minor: 1048576 }]) {
        expect(fail([device(number)])).to.deep.equal([EINVAL, '/dev/node (no such device number)']);
      }
    });

    it('reports EPERM in a user namespace', () => {
      expect(fail([device()], { namespaces: newNs.user, atSync: userMaps })).to.deep.equal([
        EPERM,
        '/dev/node',
      ]);
    });
  });

  describe('symlink', () => {
    const link = (more: Partial<OpOf<'symlink'>> = {}): TestOp =>
      op('symlink', { path: '/dev/link', target: 'pts/ptmx', ...more });

    it('makes a link and the directories above it', () => {
      const ops = [link(), link({ path: '/dev/a/b', target: '/proc/kcore' })];
      expect(shellIn(image, 'readlink /dev/link', { ops })).to.equal('pts/ptmx');
      expect(readlinkSync(join(dev, 'a/b'))).to.equal('/proc/kcore');
    });

    it('keeps a file that has the name already', () => {
      writeFileSync(join(dev, 'link'), 'image');
      shellIn(image, 'true', { ops: [link()] });
      expect(readFileSync(join(dev, 'link'), 'utf8')).to.equal('image');
    });

    it('replaces a file that has the name when the plan says so', () => {
      const replacing = link({ replace: 1 });
      const things = [': >link', 'mkdir link', 'ln -s /elsewhere link', 'mkfifo link', 'ln -s pts/ptmx link'];
      for (const thing of things) {
        execFileSync('sh', ['-c', thing], { cwd: dev });
        shellIn(image, 'true', { ops: [replacing] });
        expect(readlinkSync(join(dev, 'link'))).to.equal('pts/ptmx');
        execFileSync('rm', [join(dev, 'link')]);
      }
      mkdirSync(join(dev, 'link/full'), { recursive: true });
      const [errno, detail] = fail([replacing]);
      expect([[ENOTEMPTY, EISDIR].includes(errno), detail]).to.deep.equal([true, '/dev/link']);
    });

    it('replaces a link itself, not its target', () => {
      writeFileSync(join(image.rootfs, 'etc/precious'), 'x');
      symlinkSync('/etc/precious', join(dev, 'link'));
      shellIn(image, 'test -f /etc/precious', { ops: [procfs, link({ replace: 1 })] });
      expect(readlinkSync(join(dev, 'link'))).to.equal('pts/ptmx');
    });
  });
});
