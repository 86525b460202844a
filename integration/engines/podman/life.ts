import { expect } from 'chai';
import { isAlive } from '../../harness/processes.ts';
import { printed } from '../../harness/run.ts';
import { failed, succeeded } from '../../harness/scene.ts';
import type { Podman } from '../harness/podman.ts';
import type { DeclareAction } from '../harness/suite.ts';

// A shell as the first process has no handlers of its own and would not die of a signal it does not handle.
const endsAt5 = ['sh', '-c', 'trap "exit 5" TERM; touch /ready; while :; do sleep 0.01; done'];

/** From run to rm. */
export function life(action: DeclareAction<Podman>): void {
  action('info has the version of the runtime', async (podman) => {
    const { stdout } = succeeded(
      await podman.podman(['info', '--format', '{{.Host.OCIRuntime.Name}}\n{{.Host.OCIRuntime.Version}}']),
    );
    const { name } = podman.stage.runtime;
    expect(stdout).to.match(
      new RegExp(`^${name}\\n${name} version \\d+\\.\\d+\\.\\d+.*\\ncommit: .+\\nspec: 1\\.`),
    );
  });

  action('run, output and exit status', async (podman, id) => {
    const result = await podman.run(id, ['sh', '-c', 'echo out; echo err >&2; exit 42'], '--rm');
    expect(result).to.include({ status: 42, stdout: 'out\n', stderr: 'err\n' });
    expect(succeeded(await podman.podman(['ps', '--all', '--quiet'])).stdout).to.equal('');
  });

  action('run with input', async (podman, id) => {
    const args = podman.runArgs(id, ['sh', '-c', 'wc -c; exit 7'], '--rm', '--interactive');
    const result = await podman.podman(args, { input: 'x'.repeat(200_000) });
    expect(result).to.include({ status: 7, stdout: '200000\n' });
  });

  action('run on a terminal', async (podman, id) => {
    const terminal = podman.onTerminal(podman.runArgs(id, ['sh'], '--rm', '--interactive', '--tty'));
    terminal.child.stdin?.write('tty; stty size; echo $((40 + 2))\n');
    await printed(terminal, '42');
    expect(terminal.stdout()).to.include('/dev/pts/0').and.include('24 80');
    terminal.child.kill('SIGUSR1');
    terminal.child.stdin?.write(
      'while [ "$(stty size)" != "33 111" ]; do :; done; echo resized $((1 + 1))\n',
    );
    await printed(terminal, 'resized 2');
    terminal.child.stdin?.write('exit 5\n');
    // Whether our terminal is as it was is podman's doing, and it does not always get to it.
    expect(await terminal.ended).to.include({ status: 5 });
  });

  action('run --detach, logs, wait, rm', async (podman, id) => {
    succeeded(await podman.run(id, ['sh', '-c', 'echo out; echo err >&2; exit 3'], '--detach'));
    expect(succeeded(await podman.podman(['wait', id])).stdout).to.equal('3\n');
    expect(succeeded(await podman.podman(['logs', id]))).to.include({ stdout: 'out\n', stderr: 'err\n' });
    expect(await podman.inspect(id, '{{.State.Status}} {{.State.ExitCode}}')).to.equal('exited 3');
    succeeded(await podman.podman(['rm', id]));
  });

  action('attach', async (podman, id) => {
    succeeded(await podman.run(id, ['cat'], '--detach', '--interactive'));
    const attached = podman.background(['attach', id]);
    attached.child.stdin?.write('hello\n');
    await printed(attached, 'hello');
    attached.child.stdin?.end();
    expect(await attached.ended).to.include({ status: 0 });
  });

  action('a command that is not there', async (podman, id) => {
    const result = failed(await podman.run(id, ['no-such-command']));
    expect(result.status).to.equal(127);
    expect(result.stderr).to.match(/no-such-command.*executable file not found/);
  });

  action('a command that may not be executed', async (podman, id) => {
    const result = failed(await podman.run(id, ['/etc/passwd']));
    expect(result.status).to.equal(126);
    expect(result.stderr).to.match(/permission denied/i);
  });

  action('create, init and start', async (podman, id) => {
    const args = podman.containerArgs(id, ['sh', '-c', 'echo $$; exit 9']);
    succeeded(await podman.podman(['create', ...args]));
    succeeded(await podman.podman(['init', id]));
    expect(await podman.inspect(id, '{{.State.Status}}')).to.equal('initialized');
    expect(await podman.podman(['start', '--attach', id])).to.include({ status: 9, stdout: '1\n' });
  });

  action('rm of a container that was never started', async (podman, id) => {
    const args = podman.containerArgs(id, ['true']);
    succeeded(await podman.podman(['create', ...args]));
    succeeded(await podman.podman(['init', id]));
    const pid = await podman.pid(id);
    succeeded(await podman.podman(['rm', '--force', id]));
    expect(isAlive(pid)).to.equal(false);
  });

  action('start again, restart', async (podman, id) => {
    await podman.started(id);
    const first = await podman.pid(id);
    succeeded(await podman.podman(['restart', '--time', '0', id]));
    const second = await podman.pid(id);
    expect(second).not.to.equal(first);
    succeeded(await podman.podman(['kill', id]));
    succeeded(await podman.podman(['wait', id]));
    succeeded(await podman.podman(['start', id]));
    expect(await podman.inspect(id, '{{.State.Status}}')).to.equal('running');
  });

  action('restart by policy', async (podman, id) => {
    const script = 'echo x >>/count; [ $(wc -l </count) = 3 ] && exec sleep 1000; exit 1';
    succeeded(await podman.run(id, ['sh', '-c', script], '--detach', '--restart', 'on-failure:5'));
    await podman.untilExec(id, ['sh', '-c', '[ $(wc -l </count) = 3 ]']);
    expect(await podman.inspect(id, '{{.RestartCount}}')).to.equal('2');
  });

  action('stop within the grace', async (podman, id) => {
    succeeded(await podman.run(id, endsAt5, '--detach'));
    await podman.untilExec(id, ['test', '-e', '/ready']);
    const { stderr } = succeeded(await podman.podman(['stop', '--time', '20', id]));
    expect(stderr).to.equal('');
    expect(await podman.inspect(id, '{{.State.ExitCode}}')).to.equal('5');
  });

  action('stop without grace', async (podman, id) => {
    await podman.started(id);
    succeeded(await podman.podman(['stop', '--time', '0', id]));
    expect(await podman.inspect(id, '{{.State.ExitCode}}')).to.equal('137');
  });

  action('stop after the grace', async (podman, id) => {
    await podman.started(id);
    const { stderr } = succeeded(await podman.podman(['stop', '--time', '1', id]));
    expect(stderr).to.include('SIGKILL');
    expect(await podman.inspect(id, '{{.State.ExitCode}}')).to.equal('137');
  });

  action('kill with a signal', async (podman, id) => {
    succeeded(await podman.run(id, endsAt5, '--detach'));
    await podman.untilExec(id, ['test', '-e', '/ready']);
    succeeded(await podman.podman(['kill', '--signal', 'TERM', id]));
    expect(succeeded(await podman.podman(['wait', id])).stdout).to.equal('5\n');
    failed(await podman.podman(['kill', id]));
  });

  action('rm --force of a running container', async (podman, id) => {
    await podman.started(id);
    const pid = await podman.pid(id);
    failed(await podman.podman(['rm', id]));
    succeeded(await podman.podman(['rm', '--force', '--time', '0', id]));
    expect(isAlive(pid)).to.equal(false);
    succeeded(await podman.podman(['rm', '--force', '--ignore', id]));
  });

  action('a health check', async (podman, id) => {
    await podman.started(
      id,
      '--health-cmd',
      'test -e /healthy',
      '--health-interval',
      'disable',
      '--health-retries',
      '1',
    );
    expect((await podman.podman(['healthcheck', 'run', id])).status).to.equal(1);
    expect(await podman.inspect(id, '{{.State.Health.Status}}')).to.equal('unhealthy');
    succeeded(await podman.exec(id, ['touch', '/healthy']));
    succeeded(await podman.podman(['healthcheck', 'run', id]));
    expect(await podman.inspect(id, '{{.State.Health.Status}}')).to.equal('healthy');
  });
}
