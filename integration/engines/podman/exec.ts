import { expect } from 'chai';
import { printed } from '../../harness/run.ts';
import { failed, succeeded } from '../../harness/scene.ts';
import type { Podman } from '../harness/podman.ts';
import type { DeclareAction } from '../harness/suite.ts';

/** What is done to a container that runs. */
export function exec(action: DeclareAction<Podman>): void {
  action('exec, output and exit status', async (podman, id) => {
    await podman.started(id);
    const result = await podman.exec(id, ['sh', '-c', 'echo out; echo err >&2; exit 9']);
    expect(result).to.include({ status: 9, stdout: 'out\n', stderr: 'err\n' });
  });

  action('exec as another user in another folder', async (podman, id) => {
    await podman.started(id);
    const flags = ['--user', 'alice', '--workdir', '/tmp', '--env', 'X=1'];
    const { stdout } = succeeded(await podman.exec(id, ['sh', '-c', 'id; pwd; echo $X'], ...flags));
    expect(stdout).to.match(/uid=1000\(alice\) gid=1000\(alice\).*50\(staff\).*\n\/tmp\n1\n$/);
  });

  action('exec with input', async (podman, id) => {
    await podman.started(id);
    const args = ['exec', '--interactive', id, 'wc', '-c'];
    const result = await podman.podman(args, { input: 'x'.repeat(200_000) });
    expect(result).to.include({ status: 0, stdout: '200000\n' });
  });

  action('exec on a terminal', async (podman, id) => {
    await podman.started(id);
    const terminal = podman.onTerminal(['exec', '--interactive', '--tty', id, 'sh']);
    terminal.child.stdin?.write('tty; stty size; echo $((40 + 2))\n');
    await printed(terminal, '42');
    expect(terminal.stdout()).to.include('/dev/pts/').and.include('24 80');
    terminal.child.stdin?.write('exit 6\n');
    expect(await terminal.ended).to.include({ status: 6 });
  });

  action('exec --detach', async (podman, id) => {
    await podman.started(id);
    succeeded(await podman.exec(id, ['sh', '-c', 'touch /done; exec sleep 1001'], '--detach'));
    await podman.untilExec(id, ['test', '-e', '/done']);
  });

  action('exec --privileged', async (podman, id) => {
    await podman.started(id);
    const script = ['grep', 'CapEff', '/proc/self/status'];
    const plain = capabilities(succeeded(await podman.exec(id, script)).stdout);
    const more = capabilities(succeeded(await podman.exec(id, script, '--privileged')).stdout);
    expect(plain & systemAdministration).to.equal(0n);
    expect(more & systemAdministration).to.equal(systemAdministration);
    expect(more & plain).to.equal(plain);
  });

  action('a command of exec that is not there', async (podman, id) => {
    await podman.started(id);
    const result = failed(await podman.exec(id, ['no-such-command']));
    expect(result.status).to.equal(127);
    expect(result.stderr).to.match(/no-such-command.*executable file not found/);
    succeeded(await podman.exec(id, ['true']));
  });

  action('top', async (podman, id) => {
    await podman.started(id);
    const { stdout } = succeeded(await podman.podman(['top', id, 'pid', 'user', 'comm']));
    expect(stdout).to.match(/^1 +root +sleep/m);
  });

  action('ps', async (podman, id) => {
    await podman.started(id);
    const { stdout } = succeeded(await podman.podman(['ps', '--format', '{{.Names}} {{.Status}}']));
    expect(stdout).to.match(new RegExp(`^${id} Up .*\n$`));
  });

  action('cp', async (podman, id) => {
    await podman.started(id);
    succeeded(await podman.podman(['cp', `${id}:/etc/passwd`, `${podman.stage.folder}/copied`]));
    succeeded(await podman.podman(['cp', `${podman.stage.folder}/copied`, `${id}:/data/back`]));
    expect(succeeded(await podman.exec(id, ['head', '-n1', '/data/back'])).stdout).to.match(/^root:/);
  });
}

/** CAP_SYS_ADMIN, capabilities(7). */
const systemAdministration = 1n << 21n;

function capabilities(status: string): bigint {
  const [, mask = '0'] = /^CapEff:\t(\w+)$/m.exec(status) ?? [];
  return BigInt(`0x${mask}`);
}
