import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { constants as os } from 'node:os';
import { join } from 'node:path';
import { installation } from '../../lib/native/install.ts';
import { mountFlags, rootModes } from '../../lib/plan/wire.ts';
import { newNs } from './testing/ops.ts';
import { compile } from './testing/programs.ts';
import {
  MS_PRIVATE,
  MS_REC,
  MS_SHARED,
  MS_SLAVE,
  MS_UNBINDABLE,
  op,
  procfs,
  runContainer,
  shellIn,
  userMaps,
  useImage,
} from './testing/rootfs.ts';

const { ENOENT, ENOTDIR } = os.errno;

/** Mount point and propagation of all mounts but /proc. */
const showMounts = 'cut -d" " -f5,7- /proc/self/mountinfo | sed "s/ *- .*//" | grep -v "^/proc" | sort';

describe('the rootfs', () => {
  let hostMounts = '';
  const image = useImage(() => {
    // Other tests of this machine come and go; what is ours is in the name.
    const left = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    expect(left.filter((line) => line.includes(image.folder) && !hostMounts.includes(line))).to.deep.equal(
      [],
    );
  });
  beforeEach(() => {
    hostMounts = readFileSync('/proc/self/mountinfo', 'utf8');
  });

  /** Puts the rootfs on a mount of its own, shared as on any host with systemd. */
  function onSharedMount(body: () => void): void {
    const mountPoint = join(image.host, 'shared');
    mkdirSync(mountPoint);
    execFileSync('mount', ['-t', 'tmpfs', 'tsrun-test', mountPoint]);
    try {
      execFileSync('mount', ['--make-shared', mountPoint]);
      cpSync(image.rootfs, join(mountPoint, 'rootfs'), { recursive: true, verbatimSymlinks: true });
      image.rootfs = join(mountPoint, 'rootfs');
      hostMounts = readFileSync('/proc/self/mountinfo', 'utf8');
      body();
      expect(
        readFileSync('/proc/self/mountinfo', 'utf8')
          .split('\n')
          .filter((line) => line.includes(image.host)),
      ).to.have.length(1);
    } finally {
      execFileSync('umount', [mountPoint]);
    }
  }

  it('becomes / and nothing of the host is left', () => {
    expect(shellIn(image, `pwd; ls /; ${showMounts}`, { ops: [procfs] })).to.equal(
      '/\nbin\ndev\netc\nproc\nsys\ntmp\n/',
    );
  });

  it('must be a directory', () => {
    const fail = (): [number, string, string] => {
      const { errno, failed, detail } = runContainer(image, 'true');
      return [errno, failed, detail];
    };
    const rootfs = join(image.host, 'file');
    image.rootfs = rootfs;
    expect(fail()).to.deep.equal([ENOENT, 'rootfs', rootfs]);
    writeFileSync(rootfs, '');
    expect(fail()).to.deep.equal([ENOTDIR, 'rootfs', rootfs]);
  });

  it('has what is mounted below it', () => {
    const below = join(image.rootfs, 'tmp');
    execFileSync('mount', ['-t', 'tmpfs', 'tsrun-test', below]);
    try {
      writeFileSync(join(below, 'file'), 'below');
      expect(shellIn(image, 'cat /tmp/file')).to.equal('below');
      const request = { namespaces: newNs.user, atSync: userMaps };
      expect(shellIn(image, 'cat /tmp/file', request)).to.equal('below');
    } finally {
      execFileSync('umount', [below]);
    }
  });

  it('may be a mount of its own, or on a shared one', () => {
    onSharedMount(() => {
      expect(shellIn(image, showMounts, { ops: [procfs] })).to.equal('/');
      image.rootfs = join(image.host, 'shared');
      cpSync(join(image.rootfs, 'rootfs/bin'), join(image.rootfs, 'bin'), {
        recursive: true,
        verbatimSymlinks: true,
      });
      mkdirSync(join(image.rootfs, 'proc'));
      expect(shellIn(image, showMounts, { ops: [procfs] })).to.equal('/');
      const wrap = [compile('old-kernel', image.folder), installation().init];
      expect(shellIn(image, showMounts, { ops: [procfs], wrap })).to.equal('/');
    });
  });

  it('gets the propagation of the plan', () => {
    onSharedMount(() => {
      const see = (hostPropagation: number, flags: number): string =>
        shellIn(image, showMounts, {
          ops: [procfs],
          hostPropagation,
          after: [op('rootPropagation', { flags })],
        });
      expect(see(MS_SHARED | MS_REC, MS_SHARED | MS_REC)).to.match(/^\/ shared:\d+$/);
      expect(see(MS_SLAVE | MS_REC, MS_SLAVE | MS_REC)).to.equal('/');
      expect(see(MS_PRIVATE | MS_REC, MS_PRIVATE)).to.equal('/');
      expect(see(MS_SLAVE | MS_REC, MS_UNBINDABLE)).to.equal('/ unbindable');
    });
  });

  it('sees mounts of the host as a slave, and the host sees none of its own', () => {
    const shared = join(image.host, 'volume');
    mkdirSync(shared);
    execFileSync('mount', ['-t', 'tmpfs', 'tsrun-test', shared]);
    try {
      execFileSync('mount', ['--make-shared', shared]);
      mkdirSync(join(shared, 'a'));
      mkdirSync(join(shared, 'b'));
      const result = shellIn(image, `mount -t tmpfs x /mnt/b; ls /mnt/a; ${showMounts}`, {
        ops: [
          procfs,
          op('mountBind', { source: shared, destination: '/mnt', flags: mountFlags.recursive }),
          op('sync', { point: 2 }),
        ],
        atSync: () => {
          execFileSync('mount', ['-t', 'tmpfs', 'tsrun-test', join(shared, 'a')]);
          writeFileSync(join(shared, 'a/file'), '');
          return [];
        },
      });
      expect(result).to.match(/^file\n\/\n\/mnt master:\d+\n\/mnt\/a master:\d+\n\/mnt\/b$/);
      expect(readFileSync('/proc/self/mountinfo', 'utf8')).to.not.contain(join(shared, 'b'));
    } finally {
      execFileSync('umount', ['-R', shared]);
    }
  });

  it('is entered by moving it where pivot_root(2) cannot be used', () => {
    compile('escape', join(image.rootfs, 'bin'));
    // A container with CAP_SYS_ADMIN gets at the files of the host below, but at no whole procfs or sysfs.
    const script = `pwd; ls /; test -d /proc/self/ns; ${showMounts}; /bin/escape /proc/self /proc/sys /sys/kernel ${image.host}`;
    const seen = shellIn(image, script, { ops: [procfs], mode: rootModes.move });
    expect(seen).to.match(/^\/\nbin\ndev\netc\nproc\nsys\ntmp\n\/\n-\n-\n-\n[0-9a-f]+$/);
    const request = { namespaces: newNs.user, atSync: userMaps };
    expect(shellIn(image, script, { ops: [procfs], mode: rootModes.move, ...request })).to.equal(seen);
  });

  it("can be read-only without a mount namespace, without a change of the host's mount", () => {
    const below = join(image.rootfs, 'tmp');
    execFileSync('mount', ['-t', 'tmpfs', 'tsrun-test', below]);
    try {
      const before = readFileSync('/proc/self/mountinfo', 'utf8');
      const request = {
        ownMounts: false,
        ops: [op('detachRootfs')],
        after: [op('readonlyRoot')],
      };
      // What the host has mounted below stays writable, as with a mount namespace.
      const script = 'touch /x 2>&1; touch /tmp/x && cd /tmp && cd ../.. && pwd; touch x 2>&1; ls /; sleep 0';
      expect(shellIn(image, script, request)).to.match(
        /^touch: \/x: Read-only file system\n\/\ntouch: x: Read-only file system\nbin\ndev\netc\nproc\nsys\ntmp$/,
      );
      expect(readFileSync('/proc/self/mountinfo', 'utf8')).to.equal(before);
      const wrap = [compile('old-kernel', image.folder), installation().init];
      expect(runContainer(image, 'true', { ...request, wrap }).failed).to.equal('readonlyRoot');
    } finally {
      execFileSync('umount', [below]);
    }
  });

  it('is entered by chroot(2) without a mount namespace, and nothing is mounted', () => {
    onSharedMount(() => {
      expect(shellIn(image, 'pwd; ls /; ls /proc', { ownMounts: false })).to.equal(
        '/\nbin\ndev\netc\nproc\nsys\ntmp',
      );
    });
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).to.not.contain(image.rootfs);
  });
});
