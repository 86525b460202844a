import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { refused, started } from './harness/inside.ts';
import { exitStatus } from './harness/processes.ts';
import { printed } from './harness/run.ts';
import { scenario } from './harness/scenario.ts';
import { succeeded } from './harness/scene.ts';
import { onTerminal, receiver, trapScript } from './harness/terminals.ts';

describe('exec and terminals', () => {
  scenario('the console socket gets the master of a pty of the container', async (scene) => {
    const { exec } = await started(scene);
    const { socket, reader } = await receiver(scene);
    const pidFile = scene.path('exec.pid');
    const flags = ['--tty', '--detach', '--pid-file', pidFile, '--console-socket', socket];
    succeeded(await exec(flags, ['sh', '-c', 'tty; read line; echo "got $line" > /dev/tty']));
    const pid = scene.adopt(Number(readFileSync(pidFile, 'utf8')));
    await printed(reader, '/dev/pts/0');
    expect(reader.stdout()).to.match(/payload \/dev\/pts\/0\nlink .*\/(ptmx|dev\/pts\/ptmx)\n/);
    reader.child.stdin?.write('hello\n');
    await printed(reader, 'got hello');
    expect(await exitStatus(pid)).to.equal(0);
    expect((await reader.ended).status).to.equal(0);
  });

  scenario('a process file may ask for the terminal and its size', async (scene) => {
    const { id, exec } = await started(scene);
    const { socket, reader } = await receiver(scene);
    const file = scene.path('process.json');
    writeFileSync(
      file,
      JSON.stringify({
        terminal: true,
        consoleSize: { height: 41, width: 122 },
        user: { uid: 1000, gid: 1000 },
        args: ['sh', '-c', 'stty size; stat -L -c "owner %u" /proc/self/fd/0'],
        env: ['PATH=/bin'],
        cwd: '/',
      }),
    );
    const pidFile = scene.path('exec.pid');
    const flags = ['--process', file, '--detach', '--pid-file', pidFile, '--console-socket', socket];
    succeeded(await exec(flags));
    scene.adopt(Number(readFileSync(pidFile, 'utf8')));
    await printed(reader, '41 122');
    await printed(reader, 'owner 1000');
    // Unlike the container's own terminal it is not its /dev/console.
    expect(succeeded(await scene.tsrun(['exec', id, 'ls', '/dev'])).stdout).not.to.contain('console');
  });

  scenario('in the foreground it talks to the terminal of the caller', async (scene) => {
    const { id } = await started(scene);
    const script = 'stty size; read line; echo "got $line"; exit 6';
    const program = onTerminal(scene, 'exec', '--tty', id, 'sh', '-c', script);
    await printed(program, '24 80');
    program.child.stdin?.write('hello\n');
    const { status } = await program.ended;
    expect(program.stdout())
      .to.contain('got hello')
      .and.match(/tty restored/);
    expect(status).to.equal(6);
  });

  scenario('in the foreground control characters and resizes reach it', async (scene) => {
    const { id } = await started(scene);
    const program = onTerminal(scene, 'exec', '-t', id, 'sh', '-c', trapScript);
    await printed(program, 'ready');
    program.child.kill('SIGUSR1');
    await printed(program, 'resized 33 111');
    program.child.stdin?.write('\u0003');
    expect((await program.ended).status).to.equal(3);
    expect(program.stdout())
      .to.contain('interrupted')
      .and.match(/tty restored/);
  });

  scenario('a terminal and no console socket, and the reverse, are errors', async (scene) => {
    const { exec } = await started(scene);
    const without = refused(await exec(['--tty', '--detach'], ['true']));
    expect(without.stderr).to.match(/cannot allocate tty if \w+ will detach without setting console socket/);
    const { socket } = await receiver(scene);
    for (const flags of [['--detach'], ['--tty'], []]) {
      const needless = refused(await exec([...flags, '--console-socket', socket], ['true']));
      expect(needless.stderr).to.match(/cannot use console socket/);
    }
    const nobody = scene.path('nobody');
    expect(refused(await exec(['-td', '--console-socket', nobody], ['true'])).stderr).to.contain(nobody);
  });

  scenario('a container without a devpts has no terminal to give', async (scene) => {
    const { exec } = await started(scene, (config) => {
      config.mounts = config.mounts.filter(({ destination }) => destination !== '/dev/pts');
    });
    expect(refused(await exec(['--tty'], ['true'])).stderr).to.match(/dev\/pts/);
  });

  scenario('the pidfd socket gets a pidfd of the process', async (scene) => {
    const { exec } = await started(scene);
    const { socket, reader } = await receiver(scene);
    const pidFile = scene.path('exec.pid');
    succeeded(await exec(['--detach', '--pid-file', pidFile, '--pidfd-socket', socket], ['sleep', '1000']));
    const pid = scene.adopt(Number(readFileSync(pidFile, 'utf8')));
    expect((await reader.ended).status).to.equal(0);
    expect(reader.stdout())
      .to.match(/^listening\npayload setns\n/)
      .and.contain(`pid ${pid}\n`);
  });
});
