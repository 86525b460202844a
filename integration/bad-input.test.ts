import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { tsrun } from './harness/programs.ts';
import { run } from './harness/run.ts';
import { scenario } from './harness/scenario.ts';
import { type Edit, failed, succeeded } from './harness/scene.ts';

describe('bad input', () => {
  describe('container ids', () => {
    const bad = [
      '',
      '.',
      '..',
      'a/b',
      '/abs',
      '../up',
      'a b',
      'a\nb',
      'é',
      '*',
      'x'.repeat(1025),
      'a\u001b[1m',
    ];
    for (const id of bad) {
      scenario(
        `${JSON.stringify(id.slice(0, 20))}${id.length > 20 ? '…' : ''} is refused by every command`,
        async (scene) => {
          scene.configure();
          const commands = [
            ['create', '--bundle', scene.bundle],
            ['run', '--bundle', scene.bundle],
            ['start'],
            ['state'],
            ['delete'],
          ];
          for (const command of commands) {
            const result = await scene.tsrun([...command, '--', id]);
            const { stderr } = failed(result);
            expect(stderr)
              .to.match(/id|missing/i)
              .and.not.contain('\u001b')
              .and.not.match(/\bat .*\.ts/);
            expect(stderr.length).to.be.lessThan(2000);
          }
        },
      );
    }

    for (const id of ['a', '0', 'A-b_c+d.e', '_x', 'x'.repeat(200), '-leading', '...a']) {
      scenario(`${JSON.stringify(id.slice(0, 20))} is accepted`, async (scene) => {
        scene.configure((config) => (config.linux.cgroupsPath = `/${scene.id()}`));
        succeeded(await scene.tsrun(['run', '--bundle', scene.bundle, '--', id]));
      });
    }
  });

  describe('the command line', () => {
    for (const [args, said] of [
      [['nonsense'], 'tsrun: unknown command "nonsense"'],
      [['create'], 'tsrun create: container-id is missing'],
      [['create', '--nonsense', 'x'], 'tsrun create: unknown flag --nonsense'],
      [['create', 'one', 'two'], 'tsrun create: unexpected argument "two"'],
      [
        ['create', '--preserve-fds', 'many', 'x'],
        'tsrun create: --preserve-fds is a whole number, not "many"',
      ],
      [['list', '--format', 'xml'], 'tsrun list: --format is one of table, json, not "xml"'],
      [['--root'], 'tsrun: --root needs a value (DIR)'],
      [['--nonsense', 'list'], 'tsrun: unknown flag --nonsense'],
      [['--log-format', 'xml', 'list'], 'tsrun: --log-format is one of text, json, not "xml"'],
      [['state'], 'tsrun state: container-id is missing'],
      [['kill'], 'tsrun kill: container-id is missing'],
    ] as const) {
      scenario(`${args.join(' ')} is a usage error`, async (scene) => {
        const { status, stdout, stderr } = failed(await run(tsrun, args, { cwd: scene.folder }));
        expect([status, stdout]).to.deep.equal([1, '']);
        expect(stderr.split('\n')[0]).to.equal(said);
      });
    }

    scenario('--help works everywhere, and so does completion', async (scene) => {
      const overview = succeeded(await scene.tsrun(['--help'])).stdout;
      for (const command of ['create', 'start', 'run', 'state', 'kill', 'delete', 'list', 'spec']) {
        expect(overview).to.match(new RegExp(`^\\s*(tsrun )?${command}\\b`, 'm'));
        expect(succeeded(await scene.tsrun([command, '--help'])).stdout).to.contain(`tsrun ${command}`);
      }
      expect(succeeded(await scene.tsrun(['completion'])).stdout).to.match(/complete/);
    });

    scenario('help is the same however it is asked for', async (scene) => {
      const { stdout } = succeeded(await scene.tsrun(['run', '--help']));
      for (const args of [
        ['run', '-h'],
        ['run', '-help'],
        ['help', 'run'],
        ['--help', 'run'],
        ['-h', 'run'],
      ]) {
        expect(succeeded(await scene.tsrun(args)).stdout, args.join(' ')).to.equal(stdout);
      }
    });

    scenario('completion works in a bash that has sourced it', async (scene) => {
      scene.configure((config) => (config.process.args = ['sleep', '1000']));
      const id = scene.id();
      await scene.create(id);
      const folder = scene.path('bin');
      mkdirSync(folder);
      symlinkSync(tsrun, join(folder, 'tsrun'));
      const complete = async (...words: string[]): Promise<string[]> => {
        const script = 'source <(tsrun completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1));';
        const shown = `${script} $(complete -p tsrun | sed 's/.*-F \\([^ ]*\\).*/\\1/'); printf '%s\n' "\${COMPREPLY[@]}"`;
        const env = { PATH: `${folder}:/usr/bin:/bin` };
        const args = ['--norc', '-c', shown, 'bash', 'tsrun', ...words];
        return succeeded(await run('bash', args, { env }))
          .stdout.trimEnd()
          .split('\n');
      };
      expect(await complete('res')).to.deep.equal(['restore', 'resume']);
      expect(await complete('run', '--no-s')).to.deep.equal(['--no-subreaper']);
      expect(await complete('--root', scene.root, 'start', '')).to.deep.equal([id]);
    });

    scenario('--version has the lines that engines read', async (scene) => {
      const { stdout } = succeeded(await scene.tsrun(['--version']));
      expect(stdout)
        .to.match(/^tsrun version \d+\.\d+\.\d+/)
        .and.match(/^commit: \w+$/m)
        .and.match(/^spec: 1\.3\.0$/m);
    });
  });

  describe('config.json', () => {
    const mistakes: [string, string | Uint8Array, RegExp][] = [
      ['empty', '', /config\.json/],
      ['not JSON', '{"ociVersion": "1.0.2",\n  oops\n}', /config\.json:2:\d+/],
      ['cut off', '{"ociVersion": "1.0.2", "root": {', /config\.json/],
      ['another thing after it', '{} {}', /config\.json:1/],
      ['an array', '[]', /object/],
      ['null', 'null', /object/],
      ['not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), /UTF-8/i],
      ['with NUL bytes', '{"ociVersion":"1.0.2\u0000"}', /config\.json/],
      ['UTF-16', Buffer.from('\ufeff{}', 'utf16le'), /UTF-8/i],
      ['very deep', '['.repeat(200_000), /config\.json/],
    ];
    for (const [title, text, message] of mistakes) {
      scenario(title, async (scene) => {
        writeFileSync(join(scene.bundle, 'config.json'), text);
        const { stderr } = failed(await scene.run());
        expect(stderr)
          .to.match(message)
          .and.not.match(/\bat .*\.(ts|cjs)/)
          .and.not.match(/internal error/);
      });
    }

    scenario('a missing config.json is a clear error', async (scene) => {
      expect(failed(await scene.run()).stderr)
        .to.contain('config.json')
        .and.match(/no such file or directory/);
    });

    scenario('a folder in the place of config.json is a clear error', async (scene) => {
      mkdirSync(join(scene.bundle, 'config.json'));
      expect(failed(await scene.run()).stderr)
        .to.contain('config.json')
        .and.match(/directory/);
    });

    scenario('a FIFO in the place of config.json is not waited for', async (scene) => {
      execFileSync('mkfifo', [join(scene.bundle, 'config.json')]);
      expect(failed(await scene.run([], { timeout: 5000 })).stderr).to.contain('config.json');
    });

    scenario('a device that never ends, in the place of config.json, is not read', async (scene) => {
      symlinkSync('/dev/zero', join(scene.bundle, 'config.json'));
      expect(failed(await scene.run([], { timeout: 5000 })).stderr).to.contain('config.json');
    });

    scenario('a config.json that is too large is refused', async (scene) => {
      writeFileSync(join(scene.bundle, 'config.json'), '{}');
      truncateSync(join(scene.bundle, 'config.json'), 3 * 1024 * 1024 * 1024);
      expect(failed(await scene.run([], { timeout: 5000 })).stderr).to.match(/large|big|MiB/i);
    });

    scenario('a config.json that is a link to nowhere, or to itself, is a clear error', async (scene) => {
      symlinkSync('nowhere', join(scene.bundle, 'config.json'));
      failed(await scene.run());
      rmSync(join(scene.bundle, 'config.json'));
      symlinkSync('config.json', join(scene.bundle, 'config.json'));
      expect(failed(await scene.run()).stderr).to.match(/symbolic links/);
    });

    scenario('a wrong type in config.json says line, pointer, and what was expected', async (scene) => {
      const config = scene.configure();
      const text = JSON.stringify({ ...config, process: { ...config.process, args: 'sh' } }, null, 2);
      scene.writeConfig(text);
      const line = text.split('\n').findIndex((row) => row.includes('"args"')) + 1;
      const { stderr } = failed(await scene.run());
      expect(stderr)
        .to.match(new RegExp(`config\\.json:${line}:\\d+`))
        .and.match(/process[/.]args/)
        .and.match(/array/);
    });

    scenario('a missing process, or cwd, in config.json is named', async (scene) => {
      expect((await scene.failure((config) => Reflect.deleteProperty(config, 'process'))).stderr).to.match(
        /process/,
      );
      expect(
        (await scene.failure((config) => Reflect.deleteProperty(config.process, 'cwd'))).stderr,
      ).to.match(/cwd/);
    });

    scenario('an unknown property of config.json is a warning with a guess, and ignored', async (scene) => {
      const config = scene.configure((change) => (change.process.args = ['echo', 'ran']));
      scene.writeConfig({ ...config, hostnme: 'x', process: { ...config.process, noNewPrivilege: true } });
      const { stdout, stderr } = succeeded(await scene.run());
      expect(stdout).to.equal('ran\n');
      expect(stderr)
        .to.match(/hostnme.*hostname/s)
        .and.match(/noNewPrivilege.*noNewPrivileges/s);
    });

    scenario('an ociVersion that tsrun does not implement is refused', async (scene) => {
      for (const ociVersion of ['', '2.0.0', 'one', '0.9.0']) {
        const { stderr } = await scene.failure((config) => (config.ociVersion = ociVersion));
        expect(stderr).to.match(/ociVersion/);
      }
      scene.configure((config) => (config.ociVersion = '1.9.9'));
      succeeded(await scene.run());
    });
  });

  describe('a long value is not repeated whole', () => {
    for (const [kind, long] of [
      ['without spaces', `/${'x'.repeat(4000)}`],
      ['with spaces', `/${'a b/'.repeat(1000)}c`],
    ] as const) {
      const mistakes: [string, Edit][] = [
        ['argument', (config) => (config.process.args = [long])],
        ['working directory', (config) => (config.process.cwd = `/proc/self/status${long}`)],
        ['rootfs', (config) => (config.root.path = long)],
        ['destination', (config) => config.mounts.push({ destination: `/etc/passwd${long}`, type: 'tmpfs' })],
        ['source', (config) => config.mounts.push({ destination: '/x', source: long, options: ['bind'] })],
        ['filesystem', (config) => config.mounts.push({ destination: '/x', type: long })],
        ['hook', (config) => (config.hooks = { createRuntime: [{ path: long }] })],
        ['hook inside', (config) => (config.hooks = { startContainer: [{ path: long }] })],
        ['namespace', (config) => (config.linux.namespaces[1] = { type: 'network', path: long })],
        ['sysctl', (config) => (config.linux.sysctl = { [`net.${long}`]: 'x' })],
        ['value of a sysctl', (config) => (config.linux.sysctl = { 'net.ipv4.ip_forward': long })],
        ['cgroup', (config) => (config.linux.cgroupsPath = long.repeat(2))],
      ];
      for (const [title, edit] of mistakes) {
        scenario(`${title} ${kind}`, async (scene) => {
          const { stderr } = await scene.failure(edit);
          expect(stderr).to.match(/…/);
          expect(stderr.length).to.be.below(1000);
        });
      }

      scenario(`on the command line, ${kind}`, async (scene) => {
        for (const args of [[long], ['run', `-${long}`], ['run', '--bundle', long, 'x'], ['state', long]]) {
          const { stderr } = failed(await scene.tsrun(args));
          expect(stderr).to.match(/…/);
          expect(stderr.length).to.be.below(1000);
        }
      });
    }
  });

  scenario('a bundle that does not exist, or is a file, is a clear error', async (scene) => {
    for (const bundle of [scene.path('nowhere'), '/etc/passwd']) {
      const { stderr } = failed(await scene.tsrun(['create', '--bundle', bundle, scene.id()]));
      expect(stderr).to.contain(bundle);
    }
  });

  scenario('every command fails for a container that does not exist', async (scene) => {
    for (const command of [['start'], ['state'], ['kill'], ['delete']]) {
      const { stderr } = failed(await scene.tsrun([...command, scene.id()]));
      expect(stderr).to.match(/does not exist/);
    }
  });

  scenario('a pid file that cannot be written undoes everything', async (scene) => {
    scene.configure();
    const id = scene.id();
    for (const path of ['/nowhere/pid', scene.bundle]) {
      const { stderr } = failed(
        await scene.tsrun(['create', '--bundle', scene.bundle, '--pid-file', path, id]),
      );
      expect(stderr).to.contain(path);
      expect(existsSync(join(scene.root, id))).to.equal(false);
    }
  });

  describe('the log', () => {
    scenario('the log as JSON has one object a line with level, msg and time', async (scene) => {
      const log = scene.path('log.json');
      for (const args of [['start'], ['state']]) {
        failed(await scene.tsrun(['--log', log, '--log-format', 'json', ...args, scene.id()]));
      }
      const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
      expect(lines).to.have.length(2);
      for (const line of lines) {
        const record = JSON.parse(line) as Record<string, string>;
        expect(record['level']).to.equal('error');
        expect(record['msg']).to.match(/does not exist/);
        expect(Date.parse(record['time'] ?? '')).to.be.closeTo(Date.now(), 60_000);
      }
    });

    scenario('the log as text does not keep the error from stderr', async (scene) => {
      const log = scene.path('log');
      const { stderr } = failed(await scene.tsrun(['--log', log, 'state', scene.id()]));
      expect(stderr).to.match(/does not exist/);
      expect(readFileSync(log, 'utf8')).to.match(/^time="?[^ ]+"? level=error msg=.*does not exist/);
    });

    scenario('a log that cannot be written is reported', async (scene) => {
      const { stderr } = failed(await scene.tsrun(['--log', '/nowhere/log', 'state', scene.id()]));
      expect(stderr).to.contain('/nowhere/log');
    });
  });
});
