import { existsSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { exitStatus } from './harness/processes.ts';
import { printed } from './harness/run.ts';
import { scenario } from './harness/scenario.ts';
import { failed, succeeded } from './harness/scene.ts';
import { onTerminal, receiver, trapScript } from './harness/terminals.ts';
import { until } from './harness/until.ts';

describe('the terminal', () => {
  scenario('the console socket gets the master of a pty of the container', async (scene) => {
    const { socket, reader } = await receiver(scene);
    const id = scene.id();
    scene.configure((config) => {
      config.process.terminal = true;
      config.process.args = ['sh', '-c', 'tty; stty size; read line; echo "got $line"'];
      config.process.consoleSize = { height: 40, width: 123 };
    });
    const pid = await scene.create(id, ['--console-socket', socket]);
    expect(reader.stdout()).to.match(/^listening\n/);
    await scene.start(id);
    await printed(reader, '40 123');
    expect(reader.stdout())
      .to.match(/link .*\/(ptmx|dev\/pts\/ptmx)\n/)
      .and.match(/\/dev\/(pts\/0|console)/);
    reader.child.stdin?.write('hello\n');
    await printed(reader, 'got hello');
    expect(await exitStatus(pid)).to.equal(0);
    expect((await reader.ended).status).to.equal(0);
  });

  scenario('the process leads a session on its terminal, and /dev/console is it', async (scene) => {
    const { socket, reader } = await receiver(scene);
    const id = scene.id();
    scene.configure((config) => {
      config.process.terminal = true;
      config.process.args = [
        'sh',
        '-c',
        'echo to-console > /dev/console; echo to-tty > /dev/tty; stat -c %F /dev/console; stat -c "%u %a" $(tty)',
      ];
    });
    const pid = await scene.create(id, ['--console-socket', socket]);
    await scene.start(id);
    expect(await exitStatus(pid)).to.equal(0);
    await reader.ended;
    expect(reader.stdout()).to.match(/to-console\r\nto-tty\r\ncharacter special file\r\n0 6[02]0\r\n/);
  });

  scenario('the terminal belongs to the user of the process', async (scene) => {
    const { socket, reader } = await receiver(scene);
    const id = scene.id();
    scene.configure((config) => {
      config.process.terminal = true;
      config.process.user = { uid: 1000, gid: 1000 };
      config.process.args = ['sh', '-c', 'stat -L -c "owner %u" /proc/self/fd/0; echo fine > /dev/tty'];
    });
    const pid = await scene.create(id, ['--console-socket', socket]);
    await scene.start(id);
    expect(await exitStatus(pid)).to.equal(0);
    await reader.ended;
    expect(reader.stdout()).to.contain('owner 1000').and.contain('fine');
  });

  scenario('create with a terminal and no console socket, and the reverse, are errors', async (scene) => {
    scene.configure((config) => (config.process.terminal = true));
    const without = failed(await scene.tsrun(['create', '--bundle', scene.bundle, scene.id()]));
    expect(without.stderr).to.match(/cannot allocate tty if \w+ will detach without setting console socket/);
    const detached = failed(await scene.tsrun(['run', '-d', '--bundle', scene.bundle, scene.id()]));
    expect(detached.stderr).to.match(/console.socket/);
    scene.configure();
    const { socket } = await receiver(scene);
    const needless = failed(
      await scene.tsrun(['create', '--bundle', scene.bundle, '--console-socket', socket, scene.id()]),
    );
    expect(needless.stderr).to.match(/console.socket/);
  });

  scenario('a console socket nobody listens on is a clear error', async (scene) => {
    scene.configure((config) => (config.process.terminal = true));
    const path = scene.path('nobody');
    const flags = ['create', '--bundle', scene.bundle, '--console-socket', path];
    expect(failed(await scene.tsrun([...flags, scene.id()])).stderr).to.contain(path);
  });

  scenario('in the foreground the container talks to the terminal of the caller', async (scene) => {
    const id = scene.id();
    scene.configure((config) => {
      config.process.terminal = true;
      config.process.args = ['sh', '-c', 'stty size; read line; echo "got $line"; exit 6'];
    });
    const program = onTerminal(scene, 'run', '--bundle', scene.bundle, id);
    await printed(program, '24 80');
    program.child.stdin?.write('hello\n');
    const { status } = await program.ended;
    expect(program.stdout())
      .to.contain('got hello')
      .and.match(/tty restored/);
    expect(status).to.equal(6);
  });

  scenario('in the foreground, without a terminal of the caller, it is refused', async (scene) => {
    const id = scene.id();
    scene.configure((config) => (config.process.terminal = true));
    const { stderr } = failed(await scene.tsrun(['run', '--bundle', scene.bundle, id]));
    expect(stderr).to.match(/\/process\/terminal true: asks for a terminal, but tsrun does not run on one/);
    failed(await scene.tsrun(['state', id]));
  });

  scenario('in the foreground control characters and resizes reach the container', async (scene) => {
    const id = scene.id();
    scene.configure((config) => {
      config.process.terminal = true;
      config.process.args = ['sh', '-c', trapScript];
    });
    const program = onTerminal(scene, 'run', '--bundle', scene.bundle, id);
    await printed(program, 'ready');
    program.child.kill('SIGUSR1');
    await printed(program, 'resized 33 111');
    program.child.stdin?.write('\u0003');
    expect((await program.ended).status).to.equal(3);
    expect(program.stdout())
      .to.contain('interrupted')
      .and.match(/tty restored/);
  });

  scenario('in the foreground without a terminal, signals are handed on', async (scene) => {
    const id = scene.id();
    scene.configure((config) => {
      const traps = "trap 'echo hup; exit 4' HUP; trap 'echo usr1' USR1; touch /ready";
      config.process.args = ['sh', '-c', `${traps}; while :; do sleep 0.05; done`];
    });
    const program = scene.background(['run', '--bundle', scene.bundle, id]);
    await until('the traps', () => existsSync(join(scene.rootfs, 'ready')));
    program.child.kill('SIGUSR1');
    await printed(program, 'usr1\n');
    program.child.kill('SIGHUP');
    expect((await program.ended).status).to.equal(4);
    expect(program.stdout()).to.equal('usr1\nhup\n');
  });

  scenario('the pidfd socket gets a pidfd of the container', async (scene) => {
    const { socket, reader } = await receiver(scene);
    const id = scene.id();
    scene.configure();
    const pid = await scene.create(id, ['--pidfd-socket', socket]);
    expect((await reader.ended).status).to.equal(0);
    expect(reader.stdout())
      .to.match(/^listening\npayload standard\n/)
      .and.contain(`pid ${pid}\n`);
  });

  scenario('the pidfd socket of run gets it before the program can have ended', async (scene) => {
    for (const flags of [['--detach'], []]) {
      const { socket, reader } = await receiver(scene);
      const id = scene.id();
      scene.owns(id);
      scene.configure();
      const pidFile = scene.path('pid');
      const args = ['--bundle', scene.bundle, '--pid-file', pidFile, '--pidfd-socket', socket, id];
      succeeded(await scene.tsrun(['run', ...flags, ...args]));
      expect((await reader.ended).status).to.equal(0);
      expect(reader.stdout())
        .to.match(/^listening\npayload standard\n/)
        .and.match(/\npid (\d+|-1)\n/);
      unlinkSync(socket);
    }
  });

  scenario('a pidfd socket nobody listens on is a clear error, and nothing is made', async (scene) => {
    scene.configure();
    const path = scene.path('nobody');
    for (const command of ['create', 'run']) {
      const args = [command, '--bundle', scene.bundle, '--pidfd-socket', path, scene.id()];
      expect(failed(await scene.tsrun(args)).stderr).to.match(/--pidfd-socket: .*nobody: .*ENOENT/);
    }
  });

  scenario('consoleSize without a terminal is ignored', async (scene) => {
    scene.configure((config) => (config.process.consoleSize = { height: 5, width: 5 }));
    succeeded(await scene.run());
  });
});
