import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Hook, HookKind, State } from '../lib/config/types.ts';
import { cgroupsNamed } from './harness/cgroups.ts';
import { exitStatus, isAlive, namespaceOf } from './harness/processes.ts';
import { tsrun } from './harness/programs.ts';
import { scenario } from './harness/scenario.ts';
import { failed, type Scene, succeeded } from './harness/scene.ts';

/** In the order the specification runs them; all but startContainer are found on the host. */
const kinds = [
  'prestart',
  'createRuntime',
  'createContainer',
  'startContainer',
  'poststart',
  'poststop',
] as const;

/** A shell script as a hook. */
function script(text: string, more: Partial<Hook> = {}): Hook {
  return { path: '/bin/sh', args: ['sh', '-c', text], env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'], ...more };
}

/** The log the hooks of a scene write to; the container sees it, too. */
function logFile(scene: Scene): string {
  return join(scene.rootfs, 'log');
}

function readLog(scene: Scene): string[] {
  return existsSync(logFile(scene)) ? readFileSync(logFile(scene), 'utf8').trimEnd().split('\n') : [];
}

/** Where a kind of hook sees that log: startContainer runs in the container. */
function logSeenBy(kind: HookKind, scene: Scene): string {
  return kind === 'startContainer' ? '/log' : logFile(scene);
}

describe('hooks', () => {
  scenario('run in the order of the specification around the process', async (scene) => {
    const id = scene.id();
    scene.configure((config) => {
      config.process.args = ['sh', '-c', 'echo process >> /log'];
      config.hooks = Object.fromEntries(
        kinds.map((kind) => {
          const log = logSeenBy(kind, scene);
          return [kind, [script(`echo ${kind} 1 >> ${log}`), script(`echo ${kind} 2 >> ${log}`)]];
        }),
      );
    });
    const pid = await scene.create(id);
    const created = [
      'prestart 1',
      'prestart 2',
      'createRuntime 1',
      'createRuntime 2',
      'createContainer 1',
      'createContainer 2',
    ];
    expect(readLog(scene)).to.deep.equal(created);
    await scene.start(id);
    expect(await exitStatus(pid)).to.equal(0);
    const started = readLog(scene).slice(created.length);
    expect(started.slice(0, 2)).to.deep.equal(['startContainer 1', 'startContainer 2']);
    // poststart runs beside the process.
    expect(started.slice(2).sort()).to.deep.equal(['poststart 1', 'poststart 2', 'process']);
    expect(started.indexOf('poststart 1')).to.be.lessThan(started.indexOf('poststart 2'));
    await scene.delete(id);
    expect(readLog(scene).slice(-2)).to.deep.equal(['poststop 1', 'poststop 2']);
  });

  scenario('get the state of their moment on stdin', async (scene) => {
    const id = scene.id();
    scene.configure((config) => {
      config.annotations = { key: 'val/ue' };
      config.hooks = Object.fromEntries(
        kinds.map((kind) => {
          const folder = kind === 'startContainer' ? '' : scene.rootfs;
          return [kind, [script(`cat > ${folder}/state-${kind}`)]];
        }),
      );
    });
    const pid = await scene.create(id);
    await scene.start(id);
    await exitStatus(pid);
    await scene.delete(id);
    const states = kinds.map(
      (kind) => JSON.parse(readFileSync(join(scene.rootfs, `state-${kind}`), 'utf8')) as State,
    );
    for (const state of states) {
      expect(state).to.include({ id, bundle: scene.bundle });
      expect(state.ociVersion).to.match(/^1\./);
      expect(state.annotations).to.include({ key: 'val/ue' });
    }
    expect(states.map(({ status }) => status)).to.deep.equal([
      // What the tools that check runtimes want for the deprecated prestart.
      'created',
      'creating',
      'creating',
      'created',
      'running',
      'stopped',
    ]);
    // The pid is the one that the hook's pid namespace knows.
    expect(states.slice(0, 5).map((state) => state.pid)).to.deep.equal([pid, pid, 1, 1, pid]);
  });

  scenario('run in the namespaces the specification wants', async (scene) => {
    const id = scene.id();
    scene.configure((config) => {
      config.process.args = ['sleep', '1000'];
      config.hooks = Object.fromEntries(
        kinds.map((kind) => {
          const folder = kind === 'startContainer' ? '' : scene.rootfs;
          return [
            kind,
            [script(`(readlink /proc/self/ns/mnt; readlink /proc/self/ns/net) > ${folder}/ns-${kind}`)],
          ];
        }),
      );
    });
    const pid = await scene.create(id);
    await scene.start(id);
    const inside = [namespaceOf(pid, 'mnt'), namespaceOf(pid, 'net')];
    const outside = [namespaceOf('self', 'mnt'), namespaceOf('self', 'net')];
    await scene.delete(id, '--force');
    for (const kind of kinds) {
      const seen = readFileSync(join(scene.rootfs, `ns-${kind}`), 'utf8')
        .trim()
        .split('\n');
      const wanted = kind === 'createContainer' || kind === 'startContainer' ? inside : outside;
      expect(seen, kind).to.deep.equal(wanted);
    }
  });

  scenario('have a directory each, and an environment when they name none, as with runc', async (scene) => {
    const file = (kind: HookKind): string => `${logSeenBy(kind, scene)}-${kind}`;
    for (const env of [undefined, []]) {
      scene.configure((config) => {
        config.process.cwd = '/tmp';
        config.process.env = ['PATH=/bin', 'MARK=container'];
        config.hooks = Object.fromEntries(
          kinds.map((kind) => {
            const text = `{ pwd; tr '\\0' ' ' < /proc/self/environ; } > ${file(kind)}`;
            return [kind, [{ path: '/bin/sh', args: ['sh', '-c', text], ...(env && { env }) }]];
          }),
        );
      });
      succeeded(await scene.run([], { env: { MARK: 'caller' } }));
      const seen = (kind: HookKind): string => readFileSync(join(scene.rootfs, `log-${kind}`), 'utf8');
      for (const kind of ['prestart', 'createRuntime', 'poststart', 'poststop'] as const) {
        expect(seen(kind), kind).to.match(new RegExp(`^${scene.bundle}\n`));
        if (env === undefined) expect(seen(kind), kind).to.match(/\bMARK=caller /);
        else expect(seen(kind), kind).to.equal(`${scene.bundle}\n`);
      }
      expect(seen('createContainer')).to.equal(`${scene.rootfs}\n`);
      expect(seen('startContainer')).to.equal('/tmp\nPATH=/bin MARK=container HOME=/root ');
    }
  });

  scenario('get the env of the hook and no other, and its args', async (scene) => {
    for (const kind of kinds) {
      const id = scene.id();
      const log = logSeenBy(kind, scene);
      scene.configure((config) => {
        const args = ['sh', '-c', `env > ${log}-${kind}; echo "$0 $1" >> ${log}-${kind}`, 'one', 'two'];
        config.hooks = { [kind]: [{ path: '/bin/sh', args, env: ['PATH=/bin', 'ONLY=this'] }] };
      });
      succeeded(
        await scene.tsrun(['run', '--bundle', scene.bundle, id], { env: { SECRET: 'of the caller' } }),
      );
      const seen = readFileSync(`${logFile(scene)}-${kind}`, 'utf8');
      expect(seen, kind).to.contain('ONLY=this').and.contain('one two').and.not.contain('SECRET');
    }
  });

  scenario('that never read stdin do no harm', async (scene) => {
    scene.configure((config) => {
      // More than a pipe holds, so that a writer would have to wait.
      config.annotations = { big: 'x'.repeat(300_000) };
      config.hooks = Object.fromEntries(kinds.map((kind) => [kind, [script('exec < /dev/null; true')]]));
    });
    succeeded(await scene.run());
  });

  for (const kind of ['prestart', 'createRuntime', 'createContainer'] as const) {
    scenario(`a ${kind} hook that fails ends create, and its output is in the message`, async (scene) => {
      const id = scene.id();
      scene.configure((config) => {
        config.process.args = ['touch', '/ran'];
        config.hooks = {
          [kind]: [script('true'), script('echo to-out; echo to-err >&2; exit 17')],
          poststop: [script(`echo poststop >> ${logFile(scene)}`)],
        };
      });
      const { stderr } = failed(await scene.tsrun(['create', '--bundle', scene.bundle, id]));
      expect(stderr)
        .to.match(new RegExp(`${kind} hook #1`))
        .and.match(/17/);
      expect(stderr).to.contain('to-err').and.contain('to-out');
      expect(existsSync(join(scene.rootfs, 'ran'))).to.equal(false);
      failed(await scene.tsrun(['state', id]));
    });
  }

  scenario('a startContainer hook that fails ends start and the container', async (scene) => {
    const id = scene.id();
    scene.configure((config) => {
      config.process.args = ['touch', '/ran'];
      config.hooks = { startContainer: [script('echo sorry >&2; exit 3')] };
    });
    const pid = await scene.create(id);
    const { stderr } = failed(await scene.tsrun(['start', id]));
    expect(stderr)
      .to.match(/startContainer hook #0/)
      .and.contain('sorry');
    await exitStatus(pid);
    expect(existsSync(join(scene.rootfs, 'ran'))).to.equal(false);
    expect(await scene.state(id)).to.include({ status: 'stopped' });
    await scene.delete(id);
  });

  scenario('a poststart hook that fails ends start and destroys the container', async (scene) => {
    const id = scene.id();
    scene.configure((config) => {
      config.process.args = ['sleep', '1000'];
      config.hooks = {
        poststart: [script('exit 3'), script(`echo poststart >> ${logFile(scene)}`)],
        poststop: [script(`cat >> ${logFile(scene)}`)],
      };
    });
    const pid = await scene.create(id);
    const { stderr } = failed(await scene.tsrun(['start', id]));
    expect(stderr).to.match(/config\.json:\d+.*poststart hook #0/);
    expect(isAlive(pid)).to.equal(false);
    expect(readLog(scene).map((line) => (JSON.parse(line) as State).status)).to.deep.equal(['stopped']);
    expect(failed(await scene.tsrun(['state', id])).stderr).to.match(/does not exist/);
    expect(cgroupsNamed(id)).to.deep.equal([]);
    await scene.create(id);
  });

  scenario('a poststart hook may delete its own container, and fail', async (scene) => {
    const id = scene.id();
    scene.configure((config) => {
      config.process.args = ['sleep', '1000'];
      const command = `${tsrun} --root ${scene.root}`;
      const again = `${command} create --bundle ${scene.bundle} ${id}`;
      const text = `${command} delete --force ${id} && ${again} </dev/null >/dev/null 2>&1; exit 3`;
      config.hooks = { poststart: [script(text)] };
    });
    await scene.create(id);
    expect(failed(await scene.tsrun(['start', id])).stderr).to.match(/poststart hook #0/);
    // The one that has its id now is another one.
    expect(await scene.state(id)).to.include({ status: 'created' });
  });

  scenario('a poststop hook that fails is a warning, the rest runs and all is removed', async (scene) => {
    const id = scene.id();
    scene.configure((config) => {
      config.hooks = { poststop: [script('exit 3'), script(`echo second >> ${logFile(scene)}`)] };
    });
    await scene.create(id);
    const { stderr } = succeeded(await scene.tsrun(['delete', '--force', id]));
    expect(stderr).to.match(/poststop hook #0/);
    expect(readLog(scene)).to.deep.equal(['second']);
    failed(await scene.tsrun(['state', id]));
  });

  for (const kind of [
    'prestart',
    'createRuntime',
    'createContainer',
    'startContainer',
    'poststart',
  ] as const) {
    scenario(`a ${kind} hook beyond its timeout is killed`, async (scene) => {
      const id = scene.id();
      scene.configure((config) => {
        config.process.args = ['sleep', '1000'];
        config.hooks = { [kind]: [script('sleep 1000', { timeout: 1 })] };
      });
      const { stderr } = failed(await scene.tsrun(['run', '--detach', '--bundle', scene.bundle, id]));
      expect(stderr)
        .to.match(new RegExp(`${kind} hook #0`))
        .and.match(/hook ran past specified timeout of 1\.0s/);
    });
  }

  scenario('a poststop hook beyond its timeout is killed and a warning', async (scene) => {
    const id = scene.id();
    scene.configure((config) => (config.hooks = { poststop: [script('sleep 1000', { timeout: 1 })] }));
    await scene.create(id);
    const { stderr } = succeeded(await scene.tsrun(['delete', id]));
    expect(stderr)
      .to.match(/poststop hook #0/)
      .and.match(/timeout/);
  });

  scenario('a hook that is missing, or not executable, is named', async (scene) => {
    const missing = await scene.failure(
      (config) => (config.hooks = { prestart: [{ path: '/no/such/hook' }] }),
    );
    expect(missing.stderr)
      .to.contain('/no/such/hook')
      .and.match(/no such file or directory/);
    const plain = scene.path('plain');
    writeFileSync(plain, '', { mode: 0o644 });
    const denied = await scene.failure((config) => (config.hooks = { createRuntime: [{ path: plain }] }));
    expect(denied.stderr)
      .to.contain(plain)
      .and.match(/permission denied/);
    const relative = await scene.failure((config) => (config.hooks = { createRuntime: [{ path: 'hook' }] }));
    expect(relative.stderr)
      .to.match(/hooks/)
      .and.match(/absolute/);
  });

  scenario('inherit no descriptor beyond stdio, and default signals', async (scene) => {
    const look = (kind: HookKind): Hook[] => {
      const folder = kind === 'startContainer' ? '' : scene.rootfs;
      // Not by a shell: some ignore signals themselves.
      const copy = { path: '/bin/cp', args: ['cp', '/proc/self/status', `${folder}/status-${kind}`] };
      return [script(`ls /proc/self/fd | wc -l > ${folder}/fds-${kind}`), copy];
    };
    scene.configure((config) => (config.hooks = Object.fromEntries(kinds.map((kind) => [kind, look(kind)]))));
    succeeded(await scene.run());
    for (const kind of kinds) {
      // ls has the folder open.
      expect(readFileSync(join(scene.rootfs, `fds-${kind}`), 'utf8').trim(), kind).to.equal('4');
      const status = readFileSync(join(scene.rootfs, `status-${kind}`), 'utf8');
      expect(status, kind).to.match(/^SigBlk:\s+0{16}\nSigIgn:\s+0{16}$/m);
    }
  });
});
