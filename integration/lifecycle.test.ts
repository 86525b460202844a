import { existsSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { cgroupsNamed } from './harness/cgroups.ts';
import { exitStatus, isAlive } from './harness/processes.ts';
import { scenario } from './harness/scenario.ts';
import { failed, succeeded } from './harness/scene.ts';
import { until } from './harness/until.ts';

describe('the life of a container', () => {
  scenario('a container goes from create over state, start and kill to delete', async (scene) => {
    const id = scene.id();
    scene.configure((config) => (config.process.args = ['sleep', '1000']));
    const pid = await scene.create(id);
    expect(await scene.state(id)).to.include({ id, pid, status: 'created', bundle: scene.bundle });
    await scene.start(id);
    expect(await scene.state(id)).to.include({ id, pid, status: 'running' });
    await scene.kill(id, 'KILL');
    expect(await exitStatus(pid)).to.equal(128 + 9);
    expect(await scene.state(id)).to.include({ id, status: 'stopped' });
    expect((await scene.state(id)).pid ?? 0).to.equal(0);
    await scene.delete(id);
    expect(failed(await scene.tsrun(['state', id])).stderr).to.match(/does not exist/);
  });

  scenario('create does not run the process', async (scene) => {
    const id = scene.id();
    scene.configure((config) => {
      config.process.args = ['sh', '-c', 'echo ran > /ran'];
    });
    const pid = await scene.create(id);
    expect(existsSync(`${scene.rootfs}/ran`)).to.equal(false);
    await scene.start(id);
    expect(await exitStatus(pid)).to.equal(0);
    expect(readFileSync(`${scene.rootfs}/ran`, 'utf8')).to.equal('ran\n');
  });

  scenario('what is changed in config.json after create has no effect', async (scene) => {
    const id = scene.id();
    scene.configure((config) => (config.process.args = ['sh', '-c', 'echo first > /which']));
    const pid = await scene.create(id);
    scene.configure((config) => (config.process.args = ['sh', '-c', 'echo second > /which']));
    await scene.start(id);
    expect(await exitStatus(pid)).to.equal(0);
    expect(readFileSync(`${scene.rootfs}/which`, 'utf8')).to.equal('first\n');
  });

  scenario('the process keeps the pid of create', async (scene) => {
    const id = scene.id();
    scene.configure((config) => (config.process.args = ['sleep', '1000']));
    const pid = await scene.create(id);
    await scene.start(id);
    await until('execve', () => readFileSync(`/proc/${pid}/cmdline`, 'utf8') === 'sleep\u00001000\u0000');
    expect((await scene.state(id)).pid).to.equal(pid);
  });

  scenario('the pid file has the digits alone', async (scene) => {
    const id = scene.id();
    scene.configure((config) => (config.process.args = ['sleep', '1000']));
    await scene.create(id);
    const text = readFileSync(scene.path(`${id}.pid`), 'utf8');
    expect(text).to.equal(String((await scene.state(id)).pid));
  });

  scenario('run in the foreground ends with the status of the process', async (scene) => {
    scene.configure((config) => (config.process.args = ['sh', '-c', 'echo out; echo err >&2; exit 42']));
    const result = await scene.run();
    expect(result).to.include({ status: 42, stdout: 'out\n', stderr: 'err\n' });
  });

  scenario('run in the foreground ends with 128 + the signal that ended the process', async (scene) => {
    // The first process of a pid namespace ignores signals of its own, so the signal comes from outside.
    const id = scene.id();
    scene.configure((config) => (config.process.args = ['sleep', '1000']));
    const program = scene.background(['run', '--bundle', scene.bundle, id]);
    scene.owns(id);
    await scene.untilStatus(id, 'running');
    await scene.kill(id, 'KILL');
    expect((await program.ended).status).to.equal(137);
  });

  scenario('run in the foreground removes its own container, and no later one of its id', async (scene) => {
    const id = scene.id();
    scene.configure((config) => (config.process.args = ['sleep', '1000']));
    const program = scene.background(['run', '--bundle', scene.bundle, id]);
    await scene.untilStatus(id, 'running');
    // It does not see the end of its container before there is another one.
    program.child.kill('SIGSTOP');
    const stopped = scene.background(['delete', '--force', id]);
    await stopped.ended;
    const pid = await scene.create(id);
    program.child.kill('SIGCONT');
    expect((await program.ended).status).to.equal(137);
    expect(await scene.state(id)).to.include({ status: 'created', pid });
  });

  scenario('run in the foreground leaves nothing, with --keep the stopped container', async (scene) => {
    scene.configure();
    const [first, second] = [scene.id(), scene.id()];
    succeeded(await scene.tsrun(['run', '--bundle', scene.bundle, first]));
    expect(failed(await scene.tsrun(['state', first])).stderr).to.match(/does not exist/);
    scene.owns(second);
    succeeded(await scene.tsrun(['run', '--keep', '--bundle', scene.bundle, second]));
    expect(await scene.state(second)).to.include({ status: 'stopped' });
    await scene.delete(second);
  });

  scenario('run --detach returns at once and leaves the container running', async (scene) => {
    const id = scene.id();
    scene.configure((config) => (config.process.args = ['sleep', '1000']));
    scene.owns(id);
    const pidFile = scene.path('pid');
    succeeded(await scene.tsrun(['run', '--detach', '--pid-file', pidFile, '--bundle', scene.bundle, id]));
    const pid = Number(readFileSync(pidFile, 'utf8'));
    expect(await scene.state(id)).to.include({ status: 'running', pid });
    expect(isAlive(pid)).to.equal(true);
  });

  scenario('flags may follow the id, and the bundle defaults to the working directory', async (scene) => {
    const id = scene.id();
    scene.configure();
    scene.owns(id);
    succeeded(await scene.tsrun(['create', id, '--pid-file', scene.path('pid')], { cwd: scene.bundle }));
    expect(await scene.state(id)).to.include({ status: 'created', bundle: scene.bundle });
  });

  scenario('a created container can be killed and deleted', async (scene) => {
    const id = scene.id();
    scene.configure();
    const pid = await scene.create(id);
    await scene.kill(id, 'KILL');
    expect(await exitStatus(pid)).to.equal(137);
    expect(await scene.state(id)).to.include({ status: 'stopped' });
    await scene.delete(id);
  });

  scenario('delete of a created container ends and removes it', async (scene) => {
    const id = scene.id();
    scene.configure();
    const pid = await scene.create(id);
    await scene.delete(id);
    expect(isAlive(pid)).to.equal(false);
    failed(await scene.tsrun(['state', id]));
  });

  scenario('delete of a running container is refused, with --force it is ended', async (scene) => {
    const id = scene.id();
    scene.configure((config) => (config.process.args = ['sleep', '1000']));
    const pid = await scene.create(id);
    await scene.start(id);
    expect(failed(await scene.tsrun(['delete', id])).stderr).to.match(/not stopped|running/);
    expect(isAlive(pid)).to.equal(true);
    await scene.delete(id, '--force');
    expect(isAlive(pid)).to.equal(false);
  });

  scenario('delete --force ends a create that waits for a hook', async (scene) => {
    const id = scene.id();
    const began = scene.path('began');
    scene.configure((config) => {
      const script = `touch ${began}; exec sleep 1000`;
      const env = ['PATH=/usr/bin:/bin'];
      config.hooks = { createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', script], env }] };
    });
    const program = scene.background(['create', '--bundle', scene.bundle, id]);
    await until('the hook', () => existsSync(began));
    expect(await scene.state(id)).to.include({ status: 'creating' });
    expect(failed(await scene.tsrun(['delete', id])).stderr).to.match(/not stopped: creating/);
    await scene.delete(id, '--force');
    expect((await program.ended).status).to.equal(1);
    expect(program.stderr()).to.match(/createRuntime hook #0: .*killed, because the container has ended/);
    expect(cgroupsNamed(id)).to.deep.equal([]);
    failed(await scene.tsrun(['state', id]));
  });

  scenario('delete of a stopped container ends what has outlived its first process', async (scene) => {
    const id = scene.id();
    scene.configure((config) => {
      config.process.args = ['sh', '-c', 'sleep 1000 & echo $! > /child'];
      config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== 'pid');
      config.mounts = config.mounts.filter(({ type }) => type !== 'proc');
    });
    const pid = await scene.create(id);
    await scene.start(id);
    expect(await exitStatus(pid)).to.equal(0);
    const child = Number(readFileSync(`${scene.rootfs}/child`, 'utf8'));
    expect(isAlive(child)).to.equal(true);
    expect(await scene.state(id)).to.include({ status: 'stopped' });
    await scene.delete(id);
    expect(isAlive(child)).to.equal(false);
    expect(cgroupsNamed(id)).to.deep.equal([]);
  });

  scenario('delete --force of what does not exist succeeds, plain delete fails', async (scene) => {
    const id = scene.id();
    succeeded(await scene.tsrun(['delete', '--force', id]));
    expect(failed(await scene.tsrun(['delete', id])).stderr).to.match(/does not exist/);
  });

  scenario('start twice, and start of a stopped container, are refused', async (scene) => {
    const id = scene.id();
    scene.configure((config) => (config.process.args = ['sleep', '1000']));
    const pid = await scene.create(id);
    await scene.start(id);
    expect(failed(await scene.tsrun(['start', id])).stderr).to.match(
      /cannot start an already running container/,
    );
    await scene.kill(id, 'KILL');
    await exitStatus(pid);
    expect(failed(await scene.tsrun(['start', id])).stderr).to.match(
      /cannot start a container that has stopped/,
    );
  });

  scenario('kill of a stopped container is refused', async (scene) => {
    const id = scene.id();
    scene.configure();
    const pid = await scene.create(id);
    await scene.start(id);
    expect(await exitStatus(pid)).to.equal(0);
    expect(failed(await scene.tsrun(['kill', id, 'TERM'])).stderr).to.match(/container not running/);
  });

  scenario('a zombie that nobody has waited for counts as stopped', async (scene) => {
    const id = scene.id();
    scene.configure();
    const pid = await scene.create(id);
    await scene.start(id);
    await until('the end of the process', () => !isAlive(pid));
    expect(await scene.state(id)).to.include({ status: 'stopped' });
    await scene.delete(id);
  });

  scenario('a second container of the same id is refused and the first unharmed', async (scene) => {
    const id = scene.id();
    scene.configure((config) => (config.process.args = ['sleep', '1000']));
    const pid = await scene.create(id);
    const second = failed(await scene.tsrun(['create', '--bundle', scene.bundle, id]));
    expect(second.stderr).to.match(/container with given ID already exists/);
    expect(await scene.state(id)).to.include({ status: 'created', pid });
  });

  scenario('of two creates of one id at once exactly one wins', async (scene) => {
    const id = scene.id();
    scene.configure((config) => (config.process.args = ['sleep', '1000']));
    scene.owns(id);
    const both = await Promise.all(
      [1, 2, 3, 4].map(() => scene.tsrun(['create', '--bundle', scene.bundle, id])),
    );
    expect(both.filter(({ status }) => status === 0)).to.have.length(1);
    for (const loser of both.filter(({ status }) => status !== 0)) {
      expect(failed(loser).stderr).to.match(/already exists/);
    }
    expect(await scene.state(id)).to.include({ status: 'created' });
  });

  describe('signals', () => {
    for (const [signal, name] of [
      ['TERM', 'TERM'],
      ['SIGUSR1', 'USR1'],
      ['usr2', 'USR2'],
      ['2', 'INT'],
    ] as const) {
      scenario(`kill ${signal} arrives as ${name}`, async (scene) => {
        const id = scene.id();
        scene.configure((config) => {
          config.process.args = [
            'sh',
            '-c',
            `trap 'exit 7' ${name}; touch /ready; while :; do sleep 0.05; done`,
          ];
        });
        const pid = await scene.create(id);
        await scene.start(id);
        await until('the trap', () => existsSync(`${scene.rootfs}/ready`));
        await scene.kill(id, signal);
        expect(await exitStatus(pid)).to.equal(7);
      });
    }

    scenario('kill sends TERM by default', async (scene) => {
      const id = scene.id();
      scene.configure((config) => {
        config.process.args = ['sh', '-c', "trap 'exit 9' TERM; touch /ready; while :; do sleep 0.05; done"];
      });
      const pid = await scene.create(id);
      await scene.start(id);
      await until('the trap', () => existsSync(`${scene.rootfs}/ready`));
      succeeded(await scene.tsrun(['kill', id]));
      expect(await exitStatus(pid)).to.equal(9);
    });

    scenario('an unknown signal is refused', async (scene) => {
      const id = scene.id();
      scene.configure((config) => (config.process.args = ['sleep', '1000']));
      await scene.create(id);
      await scene.start(id);
      for (const bad of ['NOPE', '0x9', '999', '-9']) failed(await scene.tsrun(['kill', id, bad]));
      expect(await scene.state(id)).to.include({ status: 'running' });
    });
  });
});
