import { expect } from 'chai';
import { spawnSync, type SpawnSyncOptions } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const built = join(import.meta.dirname, '../../dist/tsrun');

interface Result {
  status: number | null;
  stdout: string;
  stderr: string;
}

describe('the launcher', () => {
  let folder = '';
  let tsrun = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsrun-launcher-'));
    tsrun = join(folder, 'tsrun');
    copyFileSync(built, tsrun);
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  /** env(1) as the engine prints its environment, or runs what it is told to in it. */
  const installEngine = (): void => {
    copyFileSync('/usr/bin/env', join(folder, 'tsrun-engine'));
  };
  /** A script for Node, and the link to the Node that runs it. */
  const installScript = (): void => {
    symlinkSync(process.execPath, join(folder, 'tsrun-node'));
    writeFileSync(
      join(folder, 'tsrun.cjs'),
      'console.log(JSON.stringify([process.execPath, ...process.argv.slice(1)]))',
    );
  };
  const run = (
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
    options: SpawnSyncOptions = {},
  ): Result => {
    const { status, stdout, stderr } = spawnSync(tsrun, args, { env, ...options, encoding: 'utf8' });
    return { status, stdout, stderr };
  };
  const environment = (env: NodeJS.ProcessEnv): string[] =>
    run([], env)
      .stdout.split('\n')
      .filter(
        (line) =>
          line !== '' &&
          !/^(TSRUN_(NOFILE|FDS|CORE)|BUN_(ENABLE_CRASH_REPORTING|JSC_useWarmUpMarkedBlocks))=/.test(line),
      )
      .sort();

  it('is small and needs no library', () => {
    const file = spawnSync('readelf', ['-ldW', built], { encoding: 'utf8' }).stdout;
    expect(file).to.contain('no dynamic section');
    expect(file).to.not.contain('INTERP');
    expect(file).to.match(/GNU_STACK.* RW /);
  });

  it('removes what would steer the engine, and nothing else', () => {
    installEngine();
    const kept = {
      PATH: '/bin',
      LD_LIBRARY_PATH: '/x',
      BUN: '1',
      NODE: '2',
      XNODE_A: '3',
      TSRUN_ENGINE: 'bun',
      EMPTY: '',
    };
    const dropped = {
      BUN_BE_BUN: '1',
      BUN_OPTIONS: '--print',
      NODE_OPTIONS: '--require /tmp/x',
      NODE_EXTRA_CA_CERTS: '/x',
      JSC_useJIT: '0',
      MIMALLOC_VERBOSE: '1',
      TSRUN_FDS: '1',
      TSRUN_OTHER: '1',
    };
    const expected = Object.entries(kept).map(([name, value]) => `${name}=${value}`);
    expect(environment({ ...dropped, ...kept })).to.deep.equal(expected.sort());
    expect(environment({})).to.deep.equal([]);
  });

  it('hides variables that name files for the engine, and keeps them for others', () => {
    installEngine();
    const named = [
      'TZ',
      'TZDIR',
      'OPENSSL_CONF',
      'SSL_CERT_FILE',
      'SSL_CERT_DIR',
      'LOCPATH',
      'GCONV_PATH',
      'LANG',
      'LC_ALL',
    ];
    const env = Object.fromEntries(named.map((name) => [name, `/of/${name}`]));
    const expected = Object.entries({ ...env, X: '1' }).map(([name, value]) =>
      name === 'X' ? 'X=1' : `TSRUN_ENV_${name}=${value}`,
    );
    expect(environment({ ...env, X: '1', TSRUN_ENV_X: '1' })).to.deep.equal(expected.sort());
  });

  it('lets the engine send no report of a crash and leave no core', () => {
    installEngine();
    const soft = (limit: string): string[] =>
      spawnSync('sh', ['-c', `ulimit ${limit}; exec ${tsrun} sh -c 'ulimit -Sc; echo $TSRUN_CORE'`], {
        encoding: 'utf8',
        env: { PATH: '/usr/bin:/bin' },
      })
        .stdout.trim()
        .split('\n');
    // Of dash, in blocks of 512 bytes: a core of one byte is none at all.
    expect(soft('-Sc 2')).to.deep.equal(['0', '1024']);
    expect(soft('-c 0')).to.deep.equal(['0', '0']);
    expect(run(['sh', '-c', 'echo $BUN_ENABLE_CRASH_REPORTING'], { PATH: '/usr/bin:/bin' }).stdout).to.equal(
      '0\n',
    );
  });

  it('names a resource limit that is too low for the engine', () => {
    installEngine();
    installScript();
    const limited = (limit: string, env: NodeJS.ProcessEnv = {}): Result => {
      const { status, stdout, stderr } = spawnSync('sh', ['-c', `ulimit ${limit}; exec ${tsrun}`], {
        encoding: 'utf8',
        env,
      });
      return { status, stdout, stderr };
    };
    const lines: [limit: string, line: string][] = [
      ['-s 128', 'the limit of the stack, in KiB, is 128, and tsrun needs 256: raise it (ulimit -s)'],
      ['-n 8', 'the limit of open files is 8, and tsrun needs 40: raise it (ulimit -n)'],
      [
        '-v 300000',
        'the limit of virtual memory, in KiB, is 300000, and tsrun needs 491520: raise it (ulimit -v)',
      ],
      ['-d 100000', 'the limit of data, in KiB, is 100000, and tsrun needs 348160: raise it (ulimit -d)'],
    ];
    for (const [limit, line] of lines) {
      expect(limited(limit)).to.deep.equal({ status: 1, stdout: '', stderr: `tsrun: ${line}\n` });
    }
    // The engines raise the soft limit of open files as far as they may.
    expect(limited('-Sn 8').status).to.equal(0);
    expect(limited('-n 40; exec 3</dev/null').stderr).to.match(/needs 41/);
    expect(limited('-v 600000', { TSRUN_ENGINE: 'node' }).stderr).to.match(/needs 983040/);
  });

  it('notes the soft limit of open files, whatever the caller says it is', () => {
    installEngine();
    const script = `ulimit -Sn 77; exec ${tsrun}`;
    const { stdout } = spawnSync('sh', ['-c', script], { encoding: 'utf8', env: { TSRUN_NOFILE: '5' } });
    expect(stdout.match(/^TSRUN_NOFILE=.*$/gm)).to.deep.equal(['TSRUN_NOFILE=77']);
  });

  it('notes how many descriptors are handed down', () => {
    installEngine();
    const fdsNoted = (redirections: string): string | undefined =>
      /^TSRUN_FDS=(.*)$/m.exec(
        spawnSync('sh', ['-c', `exec ${tsrun} ${redirections}`], {
          encoding: 'utf8',
          env: { TSRUN_FDS: '9' },
        }).stdout,
      )?.[1];
    expect(fdsNoted('3<&-')).to.equal('0');
    expect(fdsNoted('3</dev/null 4<&-')).to.equal('1');
    expect(fdsNoted('3</dev/null 4</dev/null 5<&- 6</dev/null')).to.equal('2');
  });

  it('passes arguments and exit status', () => {
    installEngine();
    const { status, stdout } = run(['printf', '[%s]', '', 'a b', '-x', 'ä\n'], { PATH: '/usr/bin:/bin' });
    expect(stdout).to.equal('[][a b][-x][ä\n]');
    expect(status).to.equal(0);
    expect(run(['sh', '-c', 'exit 3'], { PATH: '/usr/bin:/bin' }).status).to.equal(3);
  });

  it('finds the engine beside its own file, through links and whatever it is called', () => {
    installEngine();
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'tsrun-engine'), '#!/bin/sh\necho the wrong one', { mode: 0o755 });
    symlinkSync('../tsrun', join(bin, 'link'));
    const { stdout } = spawnSync(join(bin, 'link'), ['echo', 'right'], {
      argv0: join(bin, 'tsrun'),
      cwd: bin,
      env: { PATH: `${bin}:/usr/bin:/bin` },
      encoding: 'utf8',
    });
    expect(stdout).to.equal('right\n');
  });

  it('goes to / when the working directory is deleted', () => {
    installEngine();
    const gone = join(folder, 'gone');
    const script = `mkdir ${gone}; cd ${gone}; rmdir ${gone}; ${tsrun} pwd`;
    const { stdout } = spawnSync('/bin/sh', ['-c', script], {
      encoding: 'utf8',
      env: { PATH: '/usr/bin:/bin' },
    });
    expect(stdout).to.equal('/\n');
    expect(run(['pwd'], { PATH: '/usr/bin:/bin' }, { cwd: folder }).stdout).to.equal(`${folder}\n`);
  });

  it('opens stdin, stdout and stderr where they are missing, and keeps the others', () => {
    installEngine();
    const list = `${tsrun} sh -c 'for n in 0 1 2 3 4 5 6; do readlink /proc/self/fd/$n || echo closed; done >&6'`;
    const { stdout } = spawnSync('/bin/sh', ['-c', `exec 6>&1; ${list} <&- >&- 2>&- 4</dev/zero`], {
      encoding: 'utf8',
      env: { PATH: '/usr/bin:/bin' },
    });
    const lines = stdout.split('\n');
    // readlink's own stdout is 6 here.
    expect(lines[0]).to.equal('/dev/null');
    expect(lines[2]).to.equal('/dev/null');
    expect(lines.slice(3, 6)).to.deep.equal(['closed', '/dev/zero', 'closed']);
  });

  it('leaves stdio that is open as it is', () => {
    installEngine();
    const input = openSync('/dev/zero', 'r');
    const { stdout } = run(
      ['readlink', '/proc/self/fd/0'],
      { PATH: '/usr/bin:/bin' },
      { stdio: [input, 'pipe', 'pipe'] },
    );
    closeSync(input);
    expect(stdout).to.equal('/dev/zero\n');
  });

  it('does not inherit blocked signals or an ignored SIGCHLD, but other ignored ones', () => {
    installEngine();
    // Not by a shell: it takes an ignored SIGCHLD back before it executes anything.
    const signals = [
      '--block-signal=USR1',
      '--block-signal=TERM',
      '--ignore-signal=CHLD',
      '--ignore-signal=HUP',
    ];
    const ask = (program: readonly string[]): string =>
      spawnSync('env', [...signals, ...program, '/proc/self/status'], { encoding: 'utf8' }).stdout;
    expect(ask(['cat']), 'without tsrun').to.match(/^SigIgn:\s*0000000000010001$/m);
    const stdout = ask([tsrun, 'cat']);
    expect(stdout).to.match(/^SigBlk:\s*0+$/m);
    const ignored = BigInt(`0x${/^SigIgn:\s*([0-9a-f]+)$/m.exec(stdout)?.[1] ?? '0'}`);
    expect((ignored >> 16n) & 1n, 'SIGCHLD').to.equal(0n);
    expect(ignored & 1n, 'SIGHUP').to.equal(1n);
  });

  it('falls back to the node of the installation when there is no engine, or when told to', () => {
    installScript();
    const script = join(folder, 'tsrun.cjs');
    // PATH and the working directory may be anybody's: no node of theirs is run.
    writeFileSync(join(folder, 'node'), '#!/bin/sh\necho hostile', { mode: 0o755 });
    const path = `${folder}:.:/usr/bin`;
    const expected = `${JSON.stringify([process.execPath, script, 'state', '--root', 'x'])}\n`;
    expect(run(['state', '--root', 'x'], { PATH: path }, { cwd: folder }).stdout).to.equal(expected);
    installEngine();
    expect(
      run(['state', '--root', 'x'], { PATH: path, TSRUN_ENGINE: 'node' }, { cwd: folder }).stdout,
    ).to.equal(expected);
    expect(run(['echo', 'engine'], { PATH: '/bin', TSRUN_ENGINE: 'nodejs' }).stdout).to.equal('engine\n');
  });

  it('names the file that is missing', () => {
    const slash = `${folder}/`;
    expect(run([])).to.deep.equal({
      status: 1,
      stdout: '',
      stderr: `tsrun: neither tsrun-engine nor tsrun.cjs is in ${slash}: install tsrun again\n`,
    });
    expect(run([], { TSRUN_ENGINE: 'node' }).stderr).to.equal(
      `tsrun: TSRUN_ENGINE=node needs ${slash}tsrun.cjs, which cannot be read: no such file or directory\n`,
    );
    installScript();
    rmSync(join(folder, 'tsrun-node'));
    expect(run([], { PATH: dirname(process.execPath) })).to.deep.equal({
      status: 1,
      stdout: '',
      stderr: `tsrun: execute ${slash}tsrun-node (a link to the program node of Node.js 20 or newer): no such file or directory\n`,
    });
    installEngine();
    chmodSync(join(folder, 'tsrun-engine'), 0o644);
    expect(run([])).to.deep.equal({
      status: 1,
      stdout: '',
      stderr: `tsrun: execute ${slash}tsrun-engine: permission denied\n`,
    });
  });
});
