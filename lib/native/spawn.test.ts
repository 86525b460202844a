import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { constants as os, tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile } from '../../native-shim/init/testing/programs.ts';
import { TsrunError } from '../core/error.ts';
import { needRoot } from '../testing/skip.ts';
import { setCloexec } from './testing/libc.ts';
import { pidfdSignal, reap, waitPidfd } from './pidfd.ts';
import { sealedMemfdOfFile } from './memfd.ts';
import { spawn } from './spawn.ts';
import { executableIdentity } from '../host/proc.ts';
import { countDescriptors, runShell } from './testing/run.ts';

/** One line of /proc/<pid>/status. */
function field(status: string, name: string): string | undefined {
  return new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1];
}

/** Prints the descriptors the shell has, without opening any to look. */
const listDescriptors =
  'all=$(seq 0 999); for n in $all; do [ -e /proc/self/fd/$n ] && printf "$n "; done; true';

function errorOf(action: () => unknown): TsrunError {
  try {
    action();
  } catch (error) {
    if (error instanceof TsrunError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** A descriptor that execve(2) does not close. */
function inheritable(): number {
  const fd = openSync('/dev/zero', 'r');
  setCloexec(fd, false);
  return fd;
}

describe('spawn', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsrun-spawn-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it('gives the exit status, and 128 + signal for a killed child', () => {
    expect(runShell('exit 7').status).to.equal(7);
    expect(runShell('kill -TERM $$').status).to.equal(128 + 15);
  });

  it('starts the child with every signal at its default and none blocked', () => {
    // The engine ignores SIGPIPE, which survives execve.
    expect(field(readFileSync('/proc/self/status', 'utf8'), 'SigIgn')).not.to.match(/^0+$/);
    const { stdout } = runShell('', { executable: '/bin/cat', args: ['cat', '/proc/self/status'] });
    expect(field(stdout, 'SigIgn')).to.match(/^0{16}$/);
    expect(field(stdout, 'SigCgt')).to.match(/^0{16}$/);
    expect(field(stdout, 'SigBlk')).to.match(/^0{16}$/);
    expect(runShell('kill -PIPE $$; echo ignored').status).to.equal(128 + 13);
  });

  it('leaves the signal state of the caller as it was', () => {
    const state = (): unknown[] => {
      const status = readFileSync('/proc/thread-self/status', 'utf8');
      return ['SigBlk', 'SigIgn', 'SigCgt'].map((name) => field(status, name));
    };
    const before = state();
    runShell('true');
    expect(state()).to.deep.equal(before);
  });

  it('passes arguments and environment exactly', () => {
    const { stdout } = runShell('', {
      executable: '/bin/sh',
      args: ['name', '-c', 'echo "[$1][$2][$E]"; tr "\\0" , </proc/$$/cmdline', 'zero', '', 'ä\n'],
      env: ['PATH=/bin', 'E='],
    });
    expect(stdout).to.equal(
      '[][ä\n][]\nname,-c,echo "[$1][$2][$E]"; tr "\\0" , </proc/$$/cmdline,zero,,ä\n,',
    );
    expect(runShell('', { executable: '/usr/bin/env', args: ['env'], env: [] }).stdout).to.equal('');
  });

  it('gives the child only the listed descriptors', () => {
    const extra = inheritable();
    const { stdout } = runShell(listDescriptors, { fds: [extra, -1, extra] });
    closeSync(extra);
    expect(stdout).to.equal('0 1 2 3 5 ');
  });

  it('places descriptors whatever their numbers overlap', () => {
    // Four files at known numbers, of which each order is a permutation with cycles.
    const files = ['a', 'b', 'c', 'd'].map((name) => {
      writeFileSync(join(folder, name), name);
      return openSync(join(folder, name), 'r');
    });
    const [a = -1, b = -1, c = -1, d = -1] = files;
    const script = 'for n in $N; do head -c1 /proc/self/fd/$n; done';
    // A child with as many descriptors as the highest of ours, where the four are rotated onto each other.
    const top = Math.max(...files);
    const rotated = new Array<number>(top + 1).fill(-1);
    rotated[a] = b;
    rotated[b] = c;
    rotated[c] = d;
    rotated[d] = a;
    const { stdout } = runShell(script, {
      env: ['PATH=/bin:/usr/bin', `N=${files.join(' ')}`],
      fds: rotated.slice(3),
    });
    for (const fd of files) closeSync(fd);
    expect(stdout).to.equal('bcda');
  });

  it('can pass its own stdio in another order', () => {
    const names = ['first', 'second'].map((name) => join(folder, name));
    const [first = -1, second = -1] = names.map((name) => openSync(name, 'w'));
    const { pidfd } = spawn({
      executable: '/bin/sh',
      args: ['sh', '-c', 'echo out; echo err >&2'],
      env: [],
      fds: [-1, second, first],
      restoreLimits: false,
    });
    waitPidfd(pidfd, -1);
    expect(reap(pidfd)).to.equal(0);
    for (const fd of [pidfd, first, second]) closeSync(fd);
    expect(names.map((name) => readFileSync(name, 'utf8'))).to.deep.equal(['err\n', 'out\n']);
  });

  it('executes a descriptor, whatever its number', () => {
    const memfd = sealedMemfdOfFile('shell', '/bin/sh');
    const extra = inheritable();
    // In the last case what is above the program is one that execve would not close.
    for (const filler of [0, memfd, memfd + 5, extra - 4]) {
      const fds = new Array<number>(filler).fill(-1);
      const { status, stdout } = runShell('', {
        executable: memfd,
        args: ['sh', '-c', `readlink /proc/$$/exe; ${listDescriptors}`],
        fds,
      });
      expect(status).to.equal(0);
      expect(stdout).to.equal('/memfd:shell (deleted)\n0 1 2 ');
    }
    closeSync(memfd);
    closeSync(extra);
  });

  it('tells why it could not execute, and leaves neither child nor descriptor', () => {
    const before = countDescriptors();
    const script = join(folder, 'script');
    writeFileSync(script, 'not a program', { mode: 0o755 });
    writeFileSync(join(folder, 'plain'), '', { mode: 0o644 });
    const attempt = (executable: string | number, cwd = '/'): TsrunError =>
      errorOf(() => spawn({ executable, args: ['x'], env: [], fds: [0, 1, 2], restoreLimits: false, cwd }));
    expect(attempt('/does/not/exist').errno).to.equal(os.errno.ENOENT);
    expect(attempt('/does/not/exist').message).to.equal(
      'execute /does/not/exist: no such file or directory (ENOENT)',
    );
    expect(attempt(join(folder, 'plain')).errno).to.equal(os.errno.EACCES);
    expect(attempt(script).errno).to.equal(os.errno.ENOEXEC);
    expect(attempt(4711).errno).to.equal(os.errno.EBADF);
    expect(attempt('').message).to.match(/EINVAL/);
    expect(attempt('/bin/true', '/nowhere').message).to.equal(
      'execute /bin/true: enter its directory /nowhere: no such file or directory (ENOENT)',
    );
    expect(countDescriptors()).to.equal(before);
    const children = readFileSync('/proc/thread-self/children', 'utf8');
    for (const child of children.split(' ').filter((pid) => pid !== '')) {
      expect(readFileSync(`/proc/${child}/stat`, 'utf8')).not.to.match(/\) Z /);
    }
  });

  it('says when a listed descriptor is not open', () => {
    const error = errorOf(() =>
      spawn({ executable: '/bin/true', args: ['x'], env: [], fds: [0, 1, 2, 4711], restoreLimits: false }),
    );
    expect(error.errno).to.equal(os.errno.EBADF);
    expect(error.message).to.contain('descriptors');
  });

  it('refuses a NUL byte in any string', () => {
    for (const request of [
      { args: ['a\0b'] },
      { env: ['A=\0'] },
      { cwd: '/\0' },
      { executable: '/bin/\0' },
    ]) {
      expect(() => runShell('true', request)).to.throw(TsrunError, /NUL/);
    }
  });

  it("starts in the directory asked for, and in the caller's otherwise", () => {
    const deep = join(folder, 'deep');
    mkdirSync(deep);
    expect(runShell('pwd', { cwd: deep }).stdout).to.equal(`${deep}\n`);
    expect(runShell('readlink /proc/self/cwd').stdout).to.equal(`${process.cwd()}\n`);
  });

  it('restores the soft limits that the launcher noted', () => {
    const script =
      "import('./lib/native/testing/run.ts').then(({ runShell }) => {" +
      "for (const restoreLimits of [true, false]) process.stdout.write(runShell('ulimit -Sn; ulimit -Sc', { restoreLimits }).stdout)})";
    const { stdout } = runShell('', {
      executable: process.execPath,
      args: ['node', '--import', 'tsx', '-e', script],
      env: [`PATH=${process.env['PATH'] ?? ''}`, 'TSRUN_NOFILE=123', 'TSRUN_CORE=0'],
    });
    const [files, core, raised, kept] = stdout.trim().split('\n');
    expect([files, core]).to.deep.equal(['123', '0']);
    expect(Number(raised)).to.be.greaterThan(123);
    expect(kept).to.equal(runShell('ulimit -Sc').stdout.trim());
  });

  it('makes the child the leader of a session', () => {
    const { stdout } = runShell('echo $$; cut -d" " -f6 /proc/$$/stat', { newSession: true });
    const [pid, session] = stdout.split('\n');
    expect(session).to.equal(pid);
  });

  it('executes nothing for a caller that has ended meanwhile', function () {
    needRoot(this);
    const marker = join(folder, 'marker');
    const fixture = [
      process.execPath,
      '--import',
      'tsx',
      join(import.meta.dirname, 'testing/spawn-fixture.ts'),
    ];
    const tracer = compile('at-syscall', folder);
    const run = (count: string): NodeJS.Signals | null => {
      // The tracer has our pipe until the last process has ended.
      const { signal } = spawnSync(tracer, ['pdeathsig', count, 'orphan', '-', '-', ...fixture, marker], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      return signal;
    };
    expect(run('2')).to.equal(null);
    expect(existsSync(marker)).to.equal(true);
    rmSync(marker);
    expect(run('1')).to.equal('SIGKILL');
    expect(existsSync(marker)).to.equal(false);
  });

  it('gives a pidfd to wait for, to signal and to reap the child', () => {
    const input = openSync('/dev/null', 'r');
    const { pid, pidfd } = spawn({
      executable: '/bin/sleep',
      args: ['sleep', '60'],
      env: [],
      fds: [input, 1, 2],
      restoreLimits: false,
    });
    closeSync(input);
    expect(fstatSync(pidfd).isFile()).to.equal(false);
    expect(executableIdentity(pid)?.ino).to.equal(statSync('/bin/sleep', { bigint: true }).ino);
    expect(waitPidfd(pidfd, 0)).to.equal(false);
    expect(reap(pidfd)).to.equal(undefined);
    expect(pidfdSignal(pidfd, os.signals.SIGKILL)).to.equal(0);
    expect(waitPidfd(pidfd, 10_000)).to.equal(true);
    expect(reap(pidfd)).to.equal(128 + 9);
    expect(pidfdSignal(pidfd, os.signals.SIGKILL)).to.equal(-os.errno.ESRCH);
    expect(() => reap(pidfd)).to.throw(TsrunError, /ECHILD/);
    closeSync(pidfd);
  });

  it('carries large arguments, and says when they are too large', () => {
    const long = 'x'.repeat(100_000);
    expect(
      runShell('printf %s "$1" | wc -c', { args: ['sh', '-c', 'printf %s "$1" | wc -c', '', long] }).stdout,
    ).to.equal('100000\n');
    expect(errorOf(() => runShell('', { args: ['sh', '-c', 'true', 'x'.repeat(200_000)] })).errno).to.equal(
      os.errno.E2BIG,
    );
  });
});
