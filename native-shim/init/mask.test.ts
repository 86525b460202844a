import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { constants as os } from 'node:os';
import { join } from 'node:path';
import { installation } from '../../lib/native/install.ts';
import { newNs } from './testing/ops.ts';
import type { TestOp } from './testing/plan.ts';
import { compile } from './testing/programs.ts';
import {
  type ContainerRequest,
  inFolder,
  listing,
  NODEV,
  NOEXEC,
  NOSUID,
  op,
  procfs,
  runContainer,
  shellIn,
  useImage,
  userMaps,
} from './testing/rootfs.ts';

const { ELOOP, ENODEV, ENOENT, EROFS } = os.errno;

const mask = (path: string): TestOp => op('maskPath', { path });
const readonly = (path: string): TestOp => op('readonlyPath', { path });
const nullNode = op('device', { path: '/dev/null', mode: 0o20666, major: 1, minor: 3 });

describe('masked and read-only paths', () => {
  const image = useImage(() => {
    expect(listing(image.host)).to.deep.equal([]);
  });
  beforeEach(() => {
    mkdirSync(join(image.rootfs, 'etc/secrets'));
    writeFileSync(join(image.rootfs, 'etc/secrets/key'), 'secret');
    mkdirSync(join(image.rootfs, 'etc/more'));
    writeFileSync(join(image.rootfs, 'etc/more/key'), 'secret');
  });

  const see = (script: string, ops: readonly TestOp[], request: ContainerRequest = {}): string =>
    shellIn(image, script, { ...request, ops });
  const mounts = 'grep " /etc" /proc/self/mountinfo | cut -d" " -f3,5,6';

  describe('maskPath', () => {
    it('hides the content of files and directories', () => {
      const ops = [procfs, nullNode, mask('/etc/secrets/key'), mask('/etc/more'), mask('/proc/kallsyms')];
      const script = 'cat /etc/secrets/key /proc/kallsyms; ls /etc/more; touch /etc/more/x 2>&1; true';
      expect(see(script, ops)).to.match(/^touch: .*Read-only/);
      expect(see(mounts, ops)).to.match(
        /^\S+ \/etc\/secrets\/key ro,nosuid,noexec,relatime\n\S+ \/etc\/more ro,nosuid,nodev,noexec,relatime$/,
      );
    });

    it('mounts one tmpfs for all directories', () => {
      const [first, second] = see(mounts, [procfs, mask('/etc/more'), mask('/etc/secrets')])
        .split('\n')
        .map((line) => line.split(' ')[0]);
      expect(first).to.match(/^0:\d+$/);
      expect(second).to.equal(first);
    });

    it('ignores a path that is missing', () => {
      const ops = [procfs, mask('/etc/nothing'), mask('/etc/secrets/key/below'), mask('/nowhere/at/all')];
      expect(see(`cat /etc/secrets/key; ${mounts}; true`, ops)).to.equal('secret');
    });

    it('follows links of the image inside the rootfs', () => {
      symlinkSync('/etc/secrets', join(image.rootfs, 'absolute'));
      symlinkSync(`../../../..${image.host}`, join(image.rootfs, 'out'));
      expect(see('ls /etc/secrets', [nullNode, mask('/absolute'), mask('/out')])).to.equal('');
      symlinkSync('loop', join(image.rootfs, 'loop'));
      expect(runContainer(image, 'true', { ops: [mask('/loop')] }).errno).to.equal(ELOOP);
    });

    it('masks files although the image has replaced /dev/null', () => {
      const target = join(image.rootfs, 'etc/target');
      writeFileSync(target, 'target');
      const script =
        'cat /etc/secrets/key; stat -c %F,%t:%T /etc/secrets/key; echo x >/etc/secrets/key; grep -c . /etc/target';
      const tricks = [
        'ln -s /etc/target dev/null',
        'ln -s /proc/sys/kernel/core_pattern dev/null',
        'echo hidden >dev/null',
        'mknod dev/null c 1 5',
        'mkfifo dev/null',
        'mkdir dev/null',
        'rmdir dev && ln -s etc dev',
      ];
      for (const trick of tricks) {
        execFileSync('sh', ['-c', trick], { cwd: image.rootfs });
        const ops = [procfs, mask('/etc/secrets/key')];
        expect([trick, see(script, ops)]).to.deep.equal([trick, 'character special file,1:3\n1']);
        // The same late, when the host's /dev/null is out of reach: nothing is masked with something else.
        const late = runContainer(image, script, { ops: [procfs], after: [mask('/etc/secrets/key')] });
        const none = trick.startsWith('rmdir') ? ENOENT : ENODEV;
        expect([trick, late.errno, late.detail]).to.deep.equal([
          trick,
          none,
          '/dev/null (to mask files with)',
        ]);
        execFileSync('sh', ['-c', 'rm -rf dev; mkdir dev'], { cwd: image.rootfs });
      }
      expect(readFileSync(target, 'utf8')).to.equal('target');
    });

    it("does not expose the host's /dev/null to changes", () => {
      const before = statSync('/dev/null').mode;
      const script = 'chmod 600 /etc/secrets/key 2>&1; chown 1:1 /etc/secrets/key 2>&1; true';
      expect(see(script, [mask('/etc/secrets/key')])).to.match(/Read-only.*\n.*Read-only/);
      expect(statSync('/dev/null').mode).to.equal(before);
    });

    it('masks after the root has been entered', () => {
      const after = [mask('/etc/more'), mask('/etc/secrets/key'), mask('/etc/secrets'), readonly('/tmp')];
      const script = 'ls /etc/more /etc/secrets | grep -v : | grep .; touch /tmp/x 2>&1; true';
      expect(see(script, [procfs, nullNode], { after })).to.match(/^touch: .*Read-only/);
    });

    it('masks in a user namespace', () => {
      const ops = [
        procfs,
        mask('/proc/kallsyms'),
        mask('/etc/secrets/key'),
        mask('/etc/more'),
        mask('/etc/secrets'),
      ];
      const request = { namespaces: newNs.user, atSync: userMaps };
      expect(
        see('ls /etc/more /etc/secrets | grep -v : | grep .; cat /proc/kallsyms', ops, request),
      ).to.equal('');
    });
  });

  describe('readonlyPath', () => {
    const bind = op('mountBind', {
      source: '/var/tmp',
      destination: '/etc/more',
      attributesSet: NOSUID | NODEV,
    });

    it('makes a mount read-only and keeps its other options', () => {
      const script = `touch /etc/more/x 2>&1; ${mounts}`;
      expect(see(script, [procfs, bind, readonly('/etc/more')])).to.match(
        /Read-only.*\n\S+ \/etc\/more rw,nosuid,nodev,relatime\n\S+ \/etc\/more ro,nosuid,nodev,relatime$/,
      );
      const wrap = [compile('old-kernel', image.folder), installation().init];
      expect(see(script, [procfs, bind, readonly('/etc/more')], { wrap })).to.match(
        /\/etc\/more ro,nosuid,nodev,relatime$/,
      );
    });

    it('makes a file read-only, and keeps what is mounted below a directory', () => {
      const below = op('mountFilesystem', { destination: '/etc/more/below', type: 'tmpfs', source: 'tmpfs' });
      const ops = [procfs, below, readonly('/etc/more'), readonly('/etc/secrets/key'), readonly('/proc/sys')];
      const script = `for f in /etc/more/x /etc/secrets/key /proc/sys/kernel/hostname; do (echo x >$f) 2>&1; done;
        cat /etc/secrets/key; echo; touch /etc/more/below/x; echo touched $?; stat -f -c %T /etc/more/below`;
      const seen = see(script, ops);
      expect(seen.match(/Read-only/g)).to.have.length(3);
      expect(seen).to.match(/\nsecret\ntouched 0\ntmpfs$/);
    });

    it('ignores a path that is missing', () => {
      expect(
        see(`${mounts}; true`, [procfs, readonly('/etc/nothing'), readonly('/etc/secrets/key/x')]),
      ).to.equal('');
    });

    it('follows links of the image inside the rootfs', () => {
      symlinkSync('/etc/more', inFolder(join(image.rootfs, 'links/link')));
      expect(see('touch /etc/more/x 2>&1; touch /links/x', [readonly('/links/link')])).to.match(/Read-only/);
    });
  });

  it('readonlyRoot does not change the mounts below', () => {
    const ops = [
      procfs,
      op('mountFilesystem', {
        destination: '/tmp',
        type: 'tmpfs',
        source: 'tmpfs',
        attributes: NOSUID | NODEV | NOEXEC,
      }),
      op('readonlyRoot'),
    ];
    expect(see('touch /x 2>&1; touch /tmp/x', ops)).to.match(/Read-only/);
    expect(
      runContainer(image, 'true', { ops: [...ops, op('symlink', { path: '/a', target: 'b' })] }).errno,
    ).to.equal(EROFS);
    const wrap = [compile('old-kernel', image.folder), installation().init];
    expect(see('touch /x 2>&1; touch /tmp/x', ops, { wrap })).to.match(/Read-only/);
    const late = { after: ops.slice(2), wrap };
    expect(see('touch /x 2>&1; touch /tmp/x', ops.slice(0, 2), late)).to.match(/Read-only/);
  });
});
