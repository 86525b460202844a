import { expect } from 'chai';
import { printed } from '../../harness/run.ts';
import { failed } from '../../harness/scene.ts';
import type { Docker } from '../harness/docker.ts';
import type { DeclareAction } from '../harness/suite.ts';

/** From `docker run` to `docker rm`. */
export function life(action: DeclareAction<Docker>): void {
  action('run, output and exit status', async (docker) => {
    const script = 'echo out; echo err >&2; exit 42';
    const result = await docker.docker(['run', '--rm', docker.image, 'sh', '-c', script]);
    expect(result).to.include({ status: 42, stdout: 'out\n', stderr: 'err\n' });
  });

  action('run --interactive, input', async (docker) => {
    const args = ['run', '--rm', '--interactive', docker.image, 'tr', 'a-z', 'A-Z'];
    expect(await docker.docker(args, { input: 'hello\n' })).to.include({ status: 0, stdout: 'HELLO\n' });
  });

  // An image becomes an overlay, gets a network and is talked to on a terminal.
  action('run -it IMAGE sh', async (docker, id) => {
    const terminal = docker.onTerminal('run', '-it', '--rm', '--name', id, docker.image, 'sh');
    const type = (line: string): boolean | undefined => terminal.child.stdin?.write(`${line}\n`);
    type('tty; ls -l /dev/console; grep " / " /proc/mounts; ifconfig eth0');
    await printed(terminal, '/dev/pts/0');
    await printed(terminal, 'overlay / overlay rw');
    await printed(terminal, 'inet addr:');
    expect(terminal.stdout()).to.match(/crw--w---- .* 136, +0 .*\/dev\/console/);
    // The client sets the size once the container runs.
    type('until stty size | grep "24 80"; do sleep 0.01; done');
    await printed(terminal, '\n24 80');
    terminal.child.kill('SIGUSR1');
    type('until stty size | grep "33 111"; do sleep 0.01; done');
    await printed(terminal, '\n33 111');
    type('trap "echo interrupted" INT; echo re""ady; sleep 1000');
    await printed(terminal, '\nready');
    terminal.child.stdin?.write('\u0003');
    await printed(terminal, '^Cinterrupted');
    type('exit 6');
    expect(await terminal.ended).to.include({ status: 6 });
    expect(terminal.stdout()).to.match(/tty restored\n$/);
  });

  action('detach from a terminal, attach again', async (docker, id) => {
    const first = docker.onTerminal('run', '-it', '--name', id, docker.image, 'sh');
    first.child.stdin?.write('echo fi""rst\n');
    await printed(first, '\nfirst');
    first.child.stdin?.write('\u0010\u0011');
    expect(await first.ended).to.include({ status: 0 });
    expect(await docker.field(id, 'State.Status')).to.equal('running');
    const second = docker.onTerminal('attach', id);
    second.child.stdin?.write('echo sec""ond\nexit 5\n');
    await printed(second, '\nsecond');
    expect(await second.ended).to.include({ status: 5 });
  });

  action('run --detach, logs, kill, remove', async (docker, id) => {
    const script = 'echo out; echo err >&2; exec sleep 1000';
    const full = await docker.ok('run', '-d', '--name', id, docker.image, 'sh', '-c', script);
    expect(full).to.match(/^[0-9a-f]{64}$/);
    const follow = docker.follow('logs', '--follow', id);
    await printed(follow, 'out\n');
    await docker.ok('kill', id);
    expect(await docker.ok('wait', id)).to.equal('137');
    expect((await follow.ended).status).to.equal(0);
    expect(await docker.docker(['logs', id])).to.include({ stdout: 'out\n', stderr: 'err\n' });
    await docker.ok('rm', id);
    failed(await docker.docker(['inspect', id]));
  });

  action('stop: the process may end by itself', async (docker, id) => {
    const script = "trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.01; done";
    await docker.ok('run', '-d', '--name', id, docker.image, 'sh', '-c', script);
    await printed(docker.follow('logs', '--follow', id), 'up\n');
    await docker.ok('stop', '--time', '60', id);
    expect(await docker.field(id, 'State.ExitCode')).to.equal('7');
    expect(await docker.ok('logs', id)).to.equal('up\nbye');
  });

  action('stop: killed after the time of grace', async (docker, id) => {
    await docker.start(id);
    await docker.ok('stop', '--time', '1', id);
    expect(await docker.field(id, 'State.ExitCode')).to.equal('137');
  });

  action('the exit status after a handled signal', async (docker, id) => {
    const script = "trap 'exit 9' USR1; echo up; while :; do sleep 0.01; done";
    await docker.ok('run', '-d', '--name', id, docker.image, 'sh', '-c', script);
    await printed(docker.follow('logs', '--follow', id), 'up\n');
    await docker.ok('kill', '--signal', 'USR1', id);
    expect(await docker.ok('wait', id)).to.equal('9');
  });

  action('start again, restart', async (docker, id) => {
    await docker.ok('run', '--name', id, docker.image, 'sh', '-c', 'echo $((++n)) >> /n; wc -l < /n');
    expect(await docker.ok('start', '--attach', id)).to.equal('2');
    await docker.ok('restart', '--time', '0', id);
    expect(await docker.ok('wait', id)).to.equal('0');
    expect(await docker.ok('logs', id)).to.equal('1\n2\n3');
  });

  action('a restart policy', async (docker, id) => {
    await docker.ok('run', '-d', '--restart', 'on-failure:2', '--name', id, docker.image, 'false');
    await docker.untilField(id, 'RestartCount', '2');
    await docker.untilField(id, 'State.Status', 'exited');
    expect(await docker.field(id, 'State.ExitCode')).to.equal('1');
  });

  action('remove --force of a container that runs', async (docker, id) => {
    await docker.start(id);
    await docker.ok('rm', '--force', id);
    failed(await docker.docker(['inspect', id]));
  });

  action('a health check', async (docker, id) => {
    const check = ['--health-cmd', 'test -e /healthy', '--health-interval', '100ms', '--health-retries', '1'];
    await docker.start(id, ...check);
    await docker.untilField(id, 'State.Health.Status', 'unhealthy');
    await docker.inside(id, 'touch /healthy');
    await docker.untilField(id, 'State.Health.Status', 'healthy');
  });

  action('a command that is not there', async (docker, id) => {
    const result = await docker.docker(['run', '--name', id, docker.image, 'no-such-command']);
    expect(result.status).to.equal(127);
    expect(result.stderr).to.match(/no-such-command.*executable file not found/);
    expect(await docker.field(id, 'State.ExitCode')).to.equal('127');
  });

  action('a command that may not be run', async (docker) => {
    const result = await docker.docker(['run', '--rm', docker.image, '/etc/passwd']);
    expect(result.status).to.equal(126);
    expect(result.stderr).to.match(/\/etc\/passwd.*permission denied/);
  });

  action('an init before the command (--init)', async (docker) => {
    const seen = await docker.shell('cat /proc/1/comm; echo $(($$ > 1))', '--init');
    expect(seen).to.equal('docker-init\n1');
  });
}
