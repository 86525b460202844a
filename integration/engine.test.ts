import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { engine, projectRoot, tsrun } from './harness/programs.ts';
import { printed, run } from './harness/run.ts';
import { scenario } from './harness/scenario.ts';
import { failed, type Scene, succeeded } from './harness/scene.ts';

/** A JavaScript file that tells of being executed. */
function trap(file: string, mark: string): void {
  writeFileSync(
    file,
    `require('node:fs').appendFileSync(${JSON.stringify(mark)}, ${JSON.stringify(`${file}\n`)});\n`,
  );
}

/** A folder with everything that steers JavaScript engines, all of it hostile. */
function hostileFolder(scene: Scene, mark: string): string {
  const folder = scene.path('hostile');
  mkdirSync(join(folder, 'node_modules/yargs'), { recursive: true });
  trap(join(folder, 'evil.js'), mark);
  trap(join(folder, 'index.js'), mark);
  trap(join(folder, 'node_modules/yargs/index.js'), mark);
  trap(join(folder, 'tsrun.cjs'), mark);
  writeFileSync(
    join(folder, 'bunfig.toml'),
    'preload = ["./evil.js"]\n[run]\nbun = true\n[test]\npreload = ["./evil.js"]\n',
  );
  writeFileSync(
    join(folder, '.env'),
    'NODE_OPTIONS=--require=./evil.js\nBUN_OPTIONS=--preload=./evil.js\nTSRUN_ENGINE=nonsense\nHOME=/evil\n',
  );
  writeFileSync(join(folder, '.env.local'), 'BUN_OPTIONS=--preload=./evil.js\n');
  writeFileSync(join(folder, '.env.production'), 'BUN_OPTIONS=--preload=./evil.js\n');
  writeFileSync(join(folder, '.npmrc'), 'node-options=--require=./evil.js\n');
  writeFileSync(
    join(folder, 'package.json'),
    '{"type": "module", "imports": {"#x": "./evil.js"}, "yargs": {"version": true}}',
  );
  writeFileSync(
    join(folder, 'tsconfig.json'),
    '{"compilerOptions": {"paths": {"*": ["./evil.js"]}, "jsx": "evil"}}',
  );
  return folder;
}

/** Environment that would run a file, or make an engine do something else than tsrun. */
function hostileEnv(folder: string): Record<string, string> {
  const evil = join(folder, 'evil.js');
  return {
    NODE_OPTIONS: `--require=${evil}`,
    NODE_PATH: join(folder, 'node_modules'),
    NODE_EXTRA_CA_CERTS: join(folder, 'fifo'),
    NODE_REPL_EXTERNAL_MODULE: evil,
    NODE_V8_COVERAGE: join(folder, 'coverage'),
    BUN_OPTIONS: `--preload=${evil}`,
    BUN_BE_BUN: '1',
    BUN_INSPECT: '1',
    BUN_CONFIG_VERBOSE_FETCH: '1',
    BUN_RUNTIME_TRANSPILER_CACHE_PATH: join(folder, 'cache'),
    JSC_dumpOptions: '2',
    MIMALLOC_VERBOSE: '1',
  };
}

/** Command lines that between them load every part of tsrun. */
const commandLines = [
  ['--version'],
  ['--help'],
  ['create', '--help'],
  ['completion'],
  ['list'],
  ['nonsense'],
  ['state', 'nobody'],
  ['create', '--nonsense'],
];

/** A copy of the product in another place, hard links where possible. */
function installTo(folder: string, names: readonly string[]): string {
  mkdirSync(folder, { recursive: true });
  for (const name of names) {
    const from = join(projectRoot, 'dist', name);
    try {
      linkSync(from, join(folder, name));
    } catch {
      copyFileSync(from, join(folder, name));
    }
  }
  return join(folder, 'tsrun');
}

describe(`the engine (${engine})`, () => {
  scenario('TSRUN_ENGINE selects the engine', async (scene) => {
    const { stdout } = succeeded(await scene.tsrun(['--version']));
    expect(stdout).to.match(new RegExp(`^engine: ${engine} `, 'm'));
  });

  scenario('the engine neither executes nor reads what is in the working directory', async (scene) => {
    const mark = scene.path('mark');
    const folder = hostileFolder(scene, mark);
    for (const args of commandLines) {
      const clean = await scene.tsrun(args);
      const result = await scene.tsrun(args, { cwd: folder });
      expect({ ...result, command: '' }, args.join(' ')).to.deep.equal({ ...clean, command: '' });
    }
    scene.configure((config) => (config.process.args = ['env']));
    const { stdout } = succeeded(await scene.run([], { cwd: folder }));
    expect(stdout).not.to.match(/evil|OPTIONS/);
    expect(existsSync(mark)).to.equal(false);
  });

  scenario('the engine does not hang on a FIFO where a package.json may be', async (scene) => {
    const folder = scene.path('fifos');
    mkdirSync(folder);
    for (const name of [
      'package.json',
      'bunfig.toml',
      '.env',
      'tsconfig.json',
      'node_modules',
      'tsrun.cjs',
      'jsconfig.json',
    ]) {
      execFileSync('mkfifo', [join(folder, name)]);
    }
    for (const args of commandLines) {
      const result = await scene.tsrun(args, { cwd: folder, timeout: 5000 });
      expect(result.timedOut, args.join(' ')).to.equal(false);
    }
    scene.configure();
    succeeded(await scene.run([], { cwd: folder, timeout: 5000 }));
  });

  scenario('the engine is not steered by the environment', async (scene) => {
    const mark = scene.path('mark');
    const folder = hostileFolder(scene, mark);
    execFileSync('mkfifo', [join(folder, 'fifo')]);
    for (const args of commandLines) {
      const clean = await scene.tsrun(args);
      const result = await scene.tsrun(args, { cwd: folder, env: hostileEnv(folder), timeout: 5000 });
      expect({ ...result, command: '' }, args.join(' ')).to.deep.equal({ ...clean, command: '' });
    }
    expect(existsSync(mark)).to.equal(false);
    expect(existsSync(join(folder, 'coverage'))).to.equal(false);
    expect(existsSync(join(folder, 'cache'))).to.equal(false);
  });

  scenario('the engine opens no file that the environment names, be it a FIFO', async (scene) => {
    const fifo = scene.path('fifo');
    execFileSync('mkfifo', [fifo]);
    const named = [
      'TZ',
      'OPENSSL_CONF',
      'SSL_CERT_FILE',
      'LC_ALL',
      'LANG',
      'TMPDIR',
      'HOME',
      'XDG_CONFIG_HOME',
    ];
    const environments: Record<string, string>[] = [
      ...named.map((name) => ({ [name]: fifo })),
      { TZ: `:${fifo}` },
      { TZ: 'fifo', TZDIR: scene.folder },
    ];
    const hook = { path: '/bin/sh', args: ['sh', '-c', 'echo "$TZ" > hooked'] };
    scene.configure((config) => (config.hooks = { createRuntime: [hook] }));
    for (const env of environments) {
      const result = await scene.run([], { env, timeout: 10_000 });
      expect(succeeded(result).timedOut, JSON.stringify(env)).to.equal(false);
      // A hook without an environment of its own still has tsrun's.
      expect(readFileSync(join(scene.bundle, 'hooked'), 'utf8')).to.equal(`${env['TZ'] ?? ''}\n`);
    }
  });

  scenario('the launcher runs no node of the PATH it is given', async (scene) => {
    const mark = scene.path('mark');
    const folder = scene.path('planted');
    mkdirSync(folder);
    writeFileSync(join(folder, 'node'), `#!/bin/sh\ntouch ${mark}\n`, { mode: 0o755 });
    const env = { PATH: `${folder}:/usr/bin:/bin`, TSRUN_ENGINE: 'node' };
    expect(succeeded(await scene.tsrun(['--version'], { env })).stdout).to.match(/^engine: node /m);
    expect(existsSync(mark)).to.equal(false);
  });

  scenario('says what happened when it dies at its start, to the user and to nobody else', async (scene) => {
    if (engine !== 'bun') return;
    const trace = scene.path('trace');
    const faults = [
      'epoll_create1:error=EIO:when=1',
      'eventfd2:error=ENOMEM:when=1',
      'eventfd2:error=EIO:when=1',
      'eventfd2:error=EMFILE:when=1',
    ];
    for (const fault of faults) {
      const strace = [
        '-f',
        '-qq',
        '-o',
        trace,
        '-e',
        'trace=execve,epoll_create1,eventfd2',
        '-e',
        `inject=${fault}`,
      ];
      const line = 'ulimit -c unlimited; exec strace "$@"';
      const result = await run('sh', ['-c', line, 'sh', ...strace, tsrun, '--root', scene.root, 'list'], {
        cwd: scene.folder,
      });
      expect(result.status, fault).to.not.equal(0);
      expect(result.stderr, fault)
        .to.match(/the engine of tsrun \(Bun\) has crashed|tsrun has too few descriptors/)
        .and.not.match(/bun\.report|https?:|GitHub|sudo/);
      expect(readFileSync(trace, 'utf8').match(/execve\(/g), fault).to.have.length(2);
      expect(readdirSync(scene.folder).filter((name) => name.includes('core'))).to.deep.equal([]);
    }
  });

  scenario('the engine is one thread, which ends at once', async (scene) => {
    if (engine !== 'bun') return;
    scene.configure((config) => (config.process.args = ['sh', '-c', 'echo ready; exec sleep 1000']));
    const running = scene.background(['run', '--bundle', scene.bundle, scene.id()]);
    await printed(running, 'ready');
    expect(readdirSync(`/proc/${running.child.pid}/task`)).to.have.length(1);
    running.child.kill('SIGKILL');
    await running.ended;
    await scene.deleteAll();
  });

  scenario('the limits of the engine are not those of the container', async (scene) => {
    scene.configure((config) => {
      config.process.args = ['sh', '-c', 'ulimit -Sc; ulimit -Sn'];
      delete (config.process as { rlimits?: unknown }).rlimits;
    });
    const line = 'ulimit -Sc 16; ulimit -Sn 99; exec "$0" --root "$1" run --bundle "$2" "$3"';
    const args = ['-c', line, tsrun, scene.root, scene.bundle, scene.id()];
    expect(succeeded(await run('sh', args)).stdout).to.equal('16\n99\n');
  });

  scenario('the engine unpacks nothing into the temporary folder', async (scene) => {
    const folder = scene.path('temporary');
    mkdirSync(folder);
    chmodSync(folder, 0o1777);
    scene.configure();
    succeeded(await scene.run([], { env: { TMPDIR: folder, BUN_TMPDIR: folder } }));
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  scenario('opens nothing outside of its own folder, the bundle and the system', async (scene) => {
    const folder = hostileFolder(scene, scene.path('mark'));
    const trace = scene.path('trace');
    scene.configure();
    const args = [
      '-f',
      '-qq',
      '-o',
      trace,
      '-e',
      'trace=open,openat,openat2,execve,readlink,stat,newfstatat,access',
    ];
    const command = [tsrun, '--root', scene.root, 'run', '--bundle', scene.bundle, scene.id()];
    const result = await run('strace', [...args, ...command], { cwd: folder });
    expect(result.status).to.equal(0);
    expect(readFileSync(trace, 'utf8')).not.to.match(/hostile|bunfig|"package\.json|"\.env/);
  });

  scenario('tsrun starts through a link, from any folder', async (scene) => {
    const link = scene.path('link');
    symlinkSync(tsrun, link);
    expect((await run(link, ['--version'], { cwd: '/' })).stdout).to.match(/^tsrun version/);
  });

  scenario('tsrun runs from another place, without the sources', async (scene) => {
    const moved = installTo(scene.path('opt/tsrun'), readdirSync(join(projectRoot, 'dist')));
    scene.configure((config) => (config.process.args = ['echo', 'moved']));
    const args = ['--root', scene.root, 'run', '--bundle', scene.bundle, scene.id()];
    expect(await run(moved, args)).to.include({ status: 0, stdout: 'moved\n' });
  });

  scenario('falls back to Node where the compiled engine is missing', async (scene) => {
    const names = readdirSync(join(projectRoot, 'dist')).filter((name) => name !== 'tsrun-engine');
    const moved = installTo(scene.path('opt'), names);
    expect((await run(moved, ['--version'])).stdout).to.match(/^engine: node /m);
    scene.configure((config) => (config.process.args = ['echo', 'on node']));
    const args = ['--root', scene.root, 'run', '--bundle', scene.bundle, scene.id()];
    expect(await run(moved, args)).to.include({ status: 0, stdout: 'on node\n' });
  });

  scenario('says which library cannot be loaded, also for the profile of a config', async (scene) => {
    const names = readdirSync(join(projectRoot, 'dist'));
    const allowAll = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [] };
    scene.configure((config) => (config.linux.seccomp = allowAll));
    for (const broken of ['libtsrun.so', 'koffi.node']) {
      for (const content of [undefined, 'no library']) {
        const folder = scene.path(`${broken}-${content === undefined ? 'gone' : 'bad'}`);
        const partial = installTo(
          folder,
          names.filter((name) => name !== broken),
        );
        if (content !== undefined) writeFileSync(join(folder, broken), content);
        for (const command of [['run', '--bundle', scene.bundle, scene.id()], ['features']]) {
          if (command[0] === 'features' && broken === 'libtsrun.so') continue;
          const { stderr } = failed(await run(partial, ['--root', scene.root, ...command]));
          expect(stderr)
            .to.match(new RegExp(`load .*${broken}`))
            .and.match(/hint: /);
          expect(stderr).to.not.match(/internal error|bug in tsrun/);
        }
      }
    }
    rmSync(scene.root, { recursive: true, force: true });
  });

  scenario('the launcher says in one line which of its files is missing', async (scene) => {
    const folder = scene.path('opt');
    const moved = installTo(folder, ['tsrun']);
    const nothing = failed(await run(moved, ['--version']));
    expect(nothing.stderr.trim().split('\n')).to.have.length(1);
    expect(nothing.stderr).to.match(/tsrun/);
    rmSync(folder, { recursive: true });
    const names = readdirSync(join(projectRoot, 'dist'));
    for (const missing of ['libtsrun.so', 'tsrun-init', 'koffi.node']) {
      const partial = installTo(
        scene.path(missing),
        names.filter((name) => name !== missing),
      );
      scene.configure();
      const args = ['--root', scene.root, 'run', '--bundle', scene.bundle, scene.id()];
      const { stderr } = failed(await run(partial, args));
      expect(stderr)
        .to.match(/tsrun-init|libtsrun|koffi|incomplete/)
        .and.not.match(/^\s+at |internal error|bug in tsrun/m);
    }
  });
});
