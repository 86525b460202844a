import { expect } from 'chai';
import { printed } from '../../harness/run.ts';
import { failed } from '../../harness/scene.ts';
import type { Docker } from '../harness/docker.ts';
import type { DeclareAction } from '../harness/suite.ts';

/** What is done to a container that runs. */
export function running(action: DeclareAction<Docker>): void {
  action('exec, output and exit status', async (docker, id) => {
    await docker.start(id);
    const script = 'echo out; echo err >&2; exit 9';
    const result = await docker.docker(['exec', id, 'sh', '-c', script]);
    expect(result).to.include({ status: 9, stdout: 'out\n', stderr: 'err\n' });
    const echo = await docker.docker(['exec', '-i', id, 'cat'], { input: 'hello\n' });
    expect(echo).to.include({ status: 0, stdout: 'hello\n' });
  });

  action('exec as another user in another folder', async (docker, id) => {
    await docker.start(id);
    const flags = ['--user', 'alice', '--workdir', '/tmp', '--env', 'COLOUR=blue'];
    const seen = await docker.ok('exec', ...flags, id, 'sh', '-c', 'id; echo $PWD $COLOUR');
    expect(seen).to.equal('uid=1000(alice) gid=1000(alice) groups=50(staff),1000(alice)\n/tmp blue');
  });

  action('exec on a terminal', async (docker, id) => {
    await docker.start(id);
    const terminal = docker.onTerminal('exec', '-it', id, 'sh');
    terminal.child.stdin?.write('tty; until stty size | grep "24 80"; do sleep 0.01; done\n');
    await printed(terminal, '/dev/pts/');
    await printed(terminal, '\n24 80');
    terminal.child.stdin?.write('exit 6\n');
    expect(await terminal.ended).to.include({ status: 6 });
    expect(terminal.stdout()).to.match(/tty restored\n$/);
  });

  action('exec --detach', async (docker, id) => {
    await docker.start(id);
    await docker.ok('exec', '--detach', id, 'sh', '-c', 'echo done > /result; mkfifo /end; echo > /end');
    expect(await docker.inside(id, 'until cat /end; do sleep 0.01; done; cat /result')).to.equal('\ndone');
  });

  action('a command of exec that is not there', async (docker, id) => {
    await docker.start(id);
    const { status, stdout, stderr } = await docker.docker(['exec', id, 'no-such-command']);
    expect(status).to.equal(126);
    expect(stdout + stderr).to.match(/no-such-command.*executable file not found/);
    expect(await docker.inside(id, 'echo fine')).to.equal('fine');
  });

  action('exec has the seccomp profile and the limits of the container', async (docker, id) => {
    await docker.start(id, '--ulimit', 'nofile=100:200');
    const script = 'grep Seccomp: /proc/self/status; unshare -U true || echo refused; ulimit -Sn; ulimit -Hn';
    expect(await docker.inside(id, script)).to.equal('Seccomp:\t2\nrefused\n100\n200');
  });

  action('top', async (docker, id) => {
    await docker.start(id);
    await docker.ok('exec', '--detach', id, 'sleep', '1001');
    const seen = (await docker.ok('top', id, '-o', 'pid,args')).split('\n').map((line) => line.trim());
    expect(seen[0]).to.match(/^PID +COMMAND$/);
    expect(seen[1]).to.match(/^\d+ +sleep 1000$/);
    expect(seen[2]).to.match(/^\d+ +sleep 1001$/);
  });

  action('stats', async (docker, id) => {
    await docker.start(id, '--memory', '64m');
    const format = '{{.Name}} {{.MemUsage}} {{.PIDs}}';
    const seen = await docker.ok('stats', '--no-stream', '--format', format, id);
    expect(seen).to.match(new RegExp(`^${id} [\\d.]+[KM]iB / 64MiB 1$`));
  });

  action('pause and resume', async (docker, id) => {
    await docker.start(id);
    await docker.ok('pause', id);
    expect(await docker.field(id, 'State.Status')).to.equal('paused');
    expect(failed(await docker.docker(['exec', id, 'true'])).stderr).to.match(/paused/);
    await docker.ok('unpause', id);
    expect(await docker.inside(id, 'echo back')).to.equal('back');
  });

  action('remove --force of a paused container', async (docker, id) => {
    await docker.start(id);
    await docker.ok('pause', id);
    await docker.ok('rm', '--force', id);
  });

  action('rename, copy files, diff, commit', async (docker, id) => {
    await docker.start(id);
    await docker.ok('rename', id, `${id}-new`);
    await docker.inside(`${id}-new`, 'echo inside > /file');
    await docker.ok('cp', `${id}-new:/file`, 'copied');
    await docker.ok('cp', 'copied', `${id}-new:/tmp/back`);
    expect(await docker.inside(`${id}-new`, 'cat /tmp/back')).to.equal('inside');
    expect((await docker.ok('diff', `${id}-new`)).split('\n')).to.include.members(['A /file', 'A /tmp/back']);
    await docker.ok('commit', '--pause', `${id}-new`, `${id}:1`);
    expect(await docker.ok('run', '--rm', `${id}:1`, 'cat', '/file')).to.equal('inside');
    await docker.ok('rmi', `${id}:1`);
  });
}
