import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { closeSync, readSync, symlinkSync, writeFileSync } from 'node:fs';
import { constants as os } from 'node:os';
import { join } from 'node:path';
import { receiveDescriptor, socketPair } from '../../lib/native/socket.ts';
import { getSize, type Size } from '../../lib/native/testing/pty.ts';
import { type OpOf, slots } from '../../lib/plan/wire.ts';
import { newNs } from './testing/ops.ts';
import type { TestOp } from './testing/plan.ts';
import {
  type ContainerRequest,
  listing,
  op,
  type Outcome,
  procfs,
  runContainer,
  useImage,
  userMaps,
} from './testing/rootfs.ts';

const { EBADF, EEXIST, ENODEV, ENOENT, EXDEV } = os.errno;

const devpts = op('mountFilesystem', {
  destination: '/dev/pts',
  type: 'devpts',
  source: 'devpts',
  options: ['newinstance', 'ptmxmode=0666', 'mode=0620'],
});

describe('console', () => {
  const image = useImage(() => {
    expect(listing(image.host)).to.deep.equal([]);
  });

  interface Terminal {
    outcome: Outcome;
    /** What came with the master; undefined when none came. */
    name?: string;
    size?: Size;
    output?: string;
  }

  function run(script: string, ops: readonly TestOp[], request: ContainerRequest = {}): Terminal {
    const [ours, theirs] = socketPair();
    const outcome = runContainer(image, script, {
      ...request,
      ops: [procfs, op('newSession'), ...ops],
      slots: { [slots.console]: theirs },
    });
    closeSync(theirs);
    try {
      if (outcome.errno !== 0) return { outcome };
      const { payload, fd } = receiveDescriptor(ours);
      const terminal = { outcome, name: payload, size: getSize(fd), output: drain(fd) };
      closeSync(fd);
      return terminal;
    } finally {
      closeSync(ours);
    }
  }

  /** Everything the terminal says; once nobody has it open reading fails with EIO. */
  function drain(fd: number): string {
    const buffer = Buffer.alloc(4096);
    let text = '';
    for (;;) {
      try {
        text += buffer.toString('utf8', 0, readSync(fd, buffer));
      } catch {
        return text.replaceAll('\r\n', '\n');
      }
    }
  }

  const terminal = (more: Partial<OpOf<'console'>> = {}): TestOp => op('console', { mount: 1, ...more });
  const fail = (...ops: TestOp[]): [number, string] => {
    const { outcome } = run('true', ops);
    return [outcome.errno, outcome.detail];
  };

  it('becomes stdio, the controlling terminal and /dev/console', () => {
    const ttyNode = op('device', { path: '/dev/tty', mode: 0o20666, major: 5, minor: 0 });
    const script =
      'readlink /proc/self/fd/0 /proc/self/fd/1 2>&1 | head -n1; tty; for n in 0 1 2; do readlink /proc/self/fd/$n; done;' +
      'echo one >/dev/console; echo two >/dev/tty; ls /proc/self/fd | wc -l; grep -c console /proc/self/mountinfo';
    const { name, output, outcome } = run(script.slice(script.indexOf('tty;')), [
      devpts,
      ttyNode,
      terminal(),
      op('controllingTerminal'),
    ]);
    expect([outcome.errno, outcome.detail, outcome.status]).to.deep.equal([0, '', 0]);
    expect(name).to.equal('/dev/pts/0');
    expect(output).to.equal('/dev/pts/0\n/dev/pts/0\n/dev/pts/0\n/dev/pts/0\none\ntwo\n4\n1\n');
  });

  it('has the size of the plan', () => {
    expect(run('true', [devpts, terminal({ rows: 40, columns: 132 })]).size).to.deep.equal({
      rows: 40,
      columns: 132,
    });
    expect(run('true', [devpts, terminal()]).size).to.deep.equal({ rows: 0, columns: 0 });
    expect(fail(devpts, terminal({ rows: 65536 }))).to.deep.equal([os.errno.ERANGE, 'size of the terminal']);
  });

  it('is not mounted on /dev/console unless the plan says so', () => {
    expect(run('ls /dev', [devpts, terminal({ mount: 0 })]).output).to.equal('pts\n');
  });

  it('works in a user namespace, too', () => {
    const request = { namespaces: newNs.user, atSync: userMaps };
    expect(run('tty', [devpts, terminal()], request).output).to.equal('/dev/pts/0\n');
  });

  it('is refused without a devpts on /dev/pts', () => {
    const error = '/dev/pts (a terminal needs a devpts mounted there)';
    expect(fail(terminal())).to.deep.equal([ENOENT, error]);
    execFileSync('mkdir', [join(image.rootfs, 'dev/pts')]);
    execFileSync('mkfifo', [join(image.rootfs, 'dev/pts/ptmx')]);
    expect(fail(terminal())).to.deep.equal([ENODEV, error]);
  });

  it('is refused when something is mounted on /dev/pts/ptmx', () => {
    writeFileSync(join(image.folder, 'file'), '');
    const over = op('mountBind', { source: join(image.folder, 'file'), destination: '/dev/pts/ptmx' });
    expect(fail(devpts, over, terminal())).to.deep.equal([EXDEV, '/dev/pts/ptmx']);
  });

  it('follows no link that the image has as /dev/console or /dev/pts', () => {
    symlinkSync(join(image.host, 'console'), join(image.rootfs, 'dev/console'));
    expect(fail(devpts, terminal())).to.deep.equal([
      EEXIST,
      '/dev/console (in the rootfs, a link or a directory)',
    ]);
    execFileSync('rm', [join(image.rootfs, 'dev/console')]);
    execFileSync('rmdir', [join(image.rootfs, 'dev/pts')]);
    symlinkSync(image.host, join(image.rootfs, 'dev/pts'));
    expect(run('tty', [devpts, terminal()]).output).to.match(/\n$/);
    expect(
      fail(devpts, op('mountBind', { source: image.host, destination: '/dev/pts' }), terminal())[0],
    ).to.equal(ENODEV);
  });

  it('is refused without a console socket', () => {
    const { errno, detail } = runContainer(image, 'true', { ops: [op('newSession'), devpts, terminal()] });
    expect([errno, detail]).to.deep.equal([EBADF, `slot ${slots.console} is empty`]);
  });
});
