import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { cgroupFile } from '../harness/cgroup-files.ts';
import { noCriu } from '../harness/criu.ts';
import { isAlive, namespaceOf } from '../harness/processes.ts';
import { printed } from '../harness/run.ts';
import { failed, succeeded } from '../harness/scene.ts';
import { until } from '../harness/until.ts';
import { Ctr } from './harness/ctr.ts';
import { engineSuite } from './harness/suite.ts';

const forever = ['sleep', '1000'];

engineSuite('containerd (ctr)', Ctr.open.bind(Ctr), (action) => {
  action('run, output and exit status', async (ctr, id) => {
    const result = await ctr.run(id, ['sh', '-c', 'echo out; echo err >&2; exit 42'], '--rm');
    expect(result).to.include({ status: 42, stdout: 'out\n' });
    expect(result.stderr).to.include('err\n');
  });

  action('run on a terminal', async (ctr, id) => {
    const terminal = ctr.onTerminal(ctr.runArgs(id, ['sh'], '--rm', '--tty'));
    terminal.child.stdin?.write(
      'tty; until stty size | grep "24 80"; do sleep 0.01; done; echo $((40 + 2))\n',
    );
    await printed(terminal, '42');
    expect(terminal.stdout()).to.include('/dev/pts/0');
    terminal.child.stdin?.write('exit 5\n');
    expect(await terminal.ended).to.include({ status: 5 });
  });

  action('run --detach, list, kill, remove', async (ctr, id) => {
    await ctr.detached(id, forever);
    expect(await ctr.status(id)).to.equal('RUNNING');
    succeeded(await ctr.ctr(['task', 'kill', '--signal', 'KILL', id]));
    expect(await ctr.exitStatus(id)).to.equal(137);
    expect(await ctr.status(id)).to.equal(undefined);
    succeeded(await ctr.ctr(['container', 'rm', id]));
  });

  action('the exit status after a handled signal', async (ctr, id) => {
    await ctr.detached(id, ['sh', '-c', 'trap "exit 5" TERM; touch /ready; while :; do sleep 0.01; done']);
    await untilExec(ctr, id, ['test', '-e', '/ready']);
    succeeded(await ctr.ctr(['task', 'kill', '--signal', 'TERM', id]));
    expect(await ctr.exitStatus(id)).to.equal(5);
  });

  action('a command that is not there', async (ctr, id) => {
    const { stderr } = failed(await ctr.run(id, ['no-such-command']));
    expect(stderr).to.match(/no-such-command.*executable file not found/);
  });

  action('exec, output and exit status', async (ctr, id) => {
    await ctr.detached(id, forever);
    const result = await ctr.exec(id, ['sh', '-c', 'echo out; echo err >&2; exit 9']);
    expect(result).to.include({ status: 9, stdout: 'out\n' });
    expect(result.stderr).to.include('err\n');
  });

  action('exec as another user in another folder', async (ctr, id) => {
    await ctr.detached(id, forever);
    const { stdout } = succeeded(
      await ctr.exec(id, ['sh', '-c', 'id; pwd'], '--user', 'alice', '--cwd', '/tmp'),
    );
    expect(stdout).to.match(/uid=1000\(alice\) gid=1000\(alice\).*\n\/tmp\n$/);
  });

  action('exec on a terminal', async (ctr, id) => {
    await ctr.detached(id, forever);
    const terminal = ctr.onTerminal(['task', 'exec', '--tty', '--exec-id', 'shell', id, 'sh']);
    terminal.child.stdin?.write('tty; echo $((40 + 2))\n');
    await printed(terminal, '42');
    expect(terminal.stdout()).to.include('/dev/pts/');
    terminal.child.stdin?.write('exit 6\n');
    expect(await terminal.ended).to.include({ status: 6 });
  });

  action('a command of exec that is not there', async (ctr, id) => {
    await ctr.detached(id, forever);
    const { stderr } = failed(await ctr.exec(id, ['no-such-command']));
    expect(stderr).to.match(/no-such-command.*executable file not found/);
    succeeded(await ctr.exec(id, ['true']));
  });

  action('ps', async (ctr, id) => {
    await ctr.detached(id, ['sh', '-c', 'sleep 1000 & touch /ready; wait']);
    await untilExec(ctr, id, ['test', '-e', '/ready']);
    const { stdout } = succeeded(await ctr.ctr(['task', 'ps', id]));
    const pids = [...stdout.matchAll(/^(\d+)/gm)].map((match) => Number(match[1]));
    expect(pids)
      .to.have.lengthOf(2)
      .and.to.include(await ctr.pid(id));
  });

  action('metrics', async (ctr, id) => {
    await ctr.detached(id, forever, '--memory-limit', String(64 << 20));
    const { stdout } = succeeded(await ctr.ctr(['task', 'metrics', '--format', 'json', id]));
    const data = JSON.stringify(JSON.parse(stdout));
    expect(data).to.include(String(64 << 20));
  });

  action('pause and resume', async (ctr, id) => {
    await ctr.detached(id, ['sh', '-c', 'while :; do echo x >>/count; sleep 0.01; done']);
    succeeded(await ctr.ctr(['task', 'pause', id]));
    expect(await ctr.status(id)).to.equal('PAUSED');
    const { stderr } = failed(await ctr.exec(id, ['true']));
    expect(stderr).to.match(/pause/);
    succeeded(await ctr.ctr(['task', 'resume', id]));
    expect(await ctr.status(id)).to.equal('RUNNING');
    succeeded(await ctr.exec(id, ['true']));
  });

  action('kill of every process of a container without a pid namespace', async (ctr, id) => {
    const script = 'sleep 1001 & echo $! >/pid; exec sleep 1000';
    await ctr.detached(id, ['sh', '-c', script], '--with-ns', 'pid:/proc/1/ns/pid');
    await untilExec(ctr, id, ['test', '-s', '/pid']);
    const child = Number((await ctr.exec(id, ['cat', '/pid'])).stdout);
    expect(isAlive(child)).to.equal(true);
    succeeded(await ctr.ctr(['task', 'kill', '--all', '--signal', 'KILL', id]));
    expect(await ctr.exitStatus(id)).to.equal(137);
    await until('the end of the child', () => !isAlive(child));
  });

  action('an OOM kill is reported', async (ctr, id) => {
    const events = ctr.events();
    const eater = ['sh', '-c', 'x=x; while :; do x=$x$x; done'];
    const { status } = await ctr.run(id, eater, '--memory-limit', String(16 << 20));
    expect(status).to.equal(137);
    await printed(events, '/tasks/oom');
    expect(events.stdout()).to.match(new RegExp(`/tasks/oom .*${id}`));
    events.child.kill();
    await events.ended;
  });

  action('update of limits', async (ctr, id) => {
    await ctr.detached(id, forever, '--memory-limit', String(64 << 20));
    await ctr.update(id, { memory: { limit: 128 << 20 }, cpu: { shares: 512 }, pids: { limit: 77 } });
    expect(cgroupFile(await ctr.pid(id), 'memory.limit_in_bytes')).to.equal(String(128 << 20));
    expect(cgroupFile(await ctr.pid(id), 'cpu.shares')).to.equal('512');
    expect(cgroupFile(await ctr.pid(id), 'pids.max')).to.equal('77');
  });

  action('limits of processor time and memory', async (ctr, id) => {
    await ctr.detached(id, forever, '--memory-limit', String(32 << 20), '--cpus', '0.5');
    expect(cgroupFile(await ctr.pid(id), 'memory.limit_in_bytes')).to.equal(String(32 << 20));
    expect(cgroupFile(await ctr.pid(id), 'cpu.cfs_quota_us')).to.equal('50000');
  });

  action('the default seccomp profile', async (ctr, id) => {
    const script = 'grep Seccomp: /proc/self/status; unshare -U true || echo refused';
    expect(await ctr.shell(id, script, '--seccomp')).to.match(/Seccomp:\t2\nrefused\n/);
  });

  action('capabilities', async (ctr, id) => {
    const script = 'grep CapEff /proc/self/status';
    const flags = ['--cap-drop', 'CAP_CHOWN', '--cap-add', 'CAP_SYS_TIME'];
    // The engine's default list without bit 0 (CAP_CHOWN) and with bit 25 (CAP_SYS_TIME).
    expect(await ctr.shell(id, script, ...flags)).to.equal('CapEff:\t00000000aa0425fa\n');
  });

  action('a privileged container', async (ctr, id) => {
    const script = 'grep Cap[EB] /proc/self/status; mount -t tmpfs tmpfs /mnt && echo mounted';
    expect(await ctr.shell(id, script, '--privileged')).to.match(/mounted\n$/);
  });

  action('a read-only root, an environment and a working folder', async (ctr, id) => {
    const flags = ['--read-only', '--env', 'COLOUR=blue', '--cwd', '/tmp'];
    const script = 'echo $COLOUR $PWD; touch /x 2>/dev/null || echo read-only';
    expect(await ctr.shell(id, script, ...flags)).to.equal('blue /tmp\nread-only\n');
  });

  action('devices', async (ctr, id) => {
    // With pipefail the reason is shown where ls finds nothing.
    const script = 'set -o pipefail; head -c 1 /dev/loop-control; ls -l /dev/fuse | cut -c 1';
    expect(await ctr.shell(id, script, '--device', '/dev/fuse')).to.equal('c\n');
  });

  action('volumes', async (ctr, id) => {
    const folder = join(ctr.stage.folder, id);
    mkdirSync(folder);
    writeFileSync(join(folder, 'from-host'), 'hello\n');
    const mounts = ['--mount', `type=bind,src=${folder},dst=/data,options=rbind:rw`];
    mounts.push('--mount', `type=bind,src=${folder},dst=/data-ro,options=rbind:ro`);
    mounts.push('--mount', 'type=tmpfs,src=tmpfs,dst=/scratch,options=size=65536');
    const script =
      'cat /data/from-host; echo there >/data/from-container; touch /data-ro/x 2>/dev/null || echo read-only; ' +
      'touch /scratch/x && echo scratch';
    expect(await ctr.shell(id, script, ...mounts)).to.equal('hello\nread-only\nscratch\n');
    expect(readFileSync(join(folder, 'from-container'), 'utf8')).to.equal('there\n');
  });

  action("the host's network", async (ctr, id) => {
    const seen = await ctr.shell(id, 'readlink /proc/self/ns/net; ip link show lo | head -n 1', '--net-host');
    expect(seen).to.include(namespaceOf('self', 'net')).and.include('UP');
  });

  action('a bridge network (CNI)', async (ctr, id) => {
    await ctr.detached(`${id}a`, forever, '--cni');
    const address = /inet ([\d.]+)/.exec(
      (await ctr.exec(`${id}a`, ['ip', 'address', 'show', 'eth0'])).stdout,
    )?.[1];
    expect(address).to.match(/^10\.91\.0\./);
    const script = `ip address show eth0; ping -c 1 ${address ?? ''} && echo reached`;
    expect(await ctr.shell(`${id}b`, script, '--cni')).to.include('reached');
  });

  action("another container's namespaces", async (ctr, id) => {
    await ctr.detached(`${id}a`, forever);
    const pid = await ctr.pid(`${id}a`);
    const flags = ['net', 'ipc'].flatMap((name) => [
      '--with-ns',
      `${name === 'net' ? 'network' : name}:/proc/${pid}/ns/${name}`,
    ]);
    const seen = await ctr.shell(
      `${id}b`,
      'readlink /proc/self/ns/net; readlink /proc/self/ns/ipc',
      ...flags,
    );
    expect(seen).to.equal(`${namespaceOf(pid, 'net')}\n${namespaceOf(pid, 'ipc')}\n`);
  });

  action('a user namespace', async (ctr, id) => {
    const map = ['--uidmap', '0:100000:65536', '--gidmap', '0:200000:65536'];
    await ctr.detached(id, forever, ...map);
    const { stdout } = succeeded(await ctr.exec(id, ['sh', '-c', 'id -u; cat /proc/self/uid_map; touch /x']));
    expect(stdout).to.match(/^0\n +0 +100000 +65536\n$/);
    expect(readFileSync(`/proc/${await ctr.pid(id)}/status`, 'utf8')).to.match(/^Uid:\t100000\t/m);
  });

  action('without pivot_root', async (ctr, id) => {
    expect(await ctr.shell(id, 'echo $((40 + 2)); ls /bin/busybox', '--no-pivot')).to.equal(
      '42\n/bin/busybox\n',
    );
  });

  action('hooks', async (ctr, id) => {
    const config = ctr.config(id, ['sh', '-c', 'cat /hooked; echo ran']);
    const log = join(ctr.stage.folder, `${id}.hooks`);
    const hook = (name: string): { path: string; args: string[] } => ({
      path: '/bin/sh',
      args: ['sh', '-c', `echo ${name} $(cat | tr -d '\\n ' | grep -o '"id":"[a-z0-9]*"') >>${log}`],
    });
    config.hooks = {
      prestart: [hook('prestart')],
      createRuntime: [hook('createRuntime')],
      createContainer: [{ path: '/bin/sh', args: ['sh', '-c', `echo hooked >${config.root.path}/hooked`] }],
      poststart: [hook('poststart')],
      poststop: [hook('poststop')],
    };
    expect(succeeded(await ctr.runConfig(id, config, '--rm')).stdout).to.equal('hooked\nran\n');
    const names = ['prestart', 'createRuntime', 'poststart', 'poststop'];
    expect(readFileSync(log, 'utf8')).to.equal(names.map((name) => `${name} "id":"${id}"\n`).join(''));
  });

  action(
    'checkpoint and restore',
    async (ctr, id) => {
      const image = `docker.io/library/${id}:checkpoint`;
      await ctr.detached(id, ['sh', '-c', 'echo before >/file; sleep 1000']);
      await untilExec(ctr, id, ['test', '-s', '/file']);
      succeeded(await ctr.ctr(['container', 'checkpoint', '--task', '--rw', '--image', id, image]));
      // The restored one has the same cgroup, which has to be empty.
      succeeded(await ctr.ctr(['task', 'rm', '--force', id]));
      succeeded(await ctr.ctr(['container', 'restore', '--rw', '--live', `${id}r`, image]));
      expect((await ctr.exec(`${id}r`, ['cat', '/file'])).stdout).to.equal('before\n');
      succeeded(await ctr.ctr(['image', 'rm', image]));
    },
    { obstacle: noCriu },
  );

  action('a restart of containerd with a container that runs', async (ctr, id) => {
    await ctr.detached(id, forever);
    const pid = await ctr.pid(id);
    await ctr.daemon.stop();
    expect(isAlive(pid)).to.equal(true);
    await ctr.restart();
    expect(await ctr.status(id)).to.equal('RUNNING');
    expect((await ctr.exec(id, ['echo', 'still there'])).stdout).to.equal('still there\n');
    succeeded(await ctr.ctr(['task', 'kill', '--signal', 'KILL', id]));
    expect(await ctr.exitStatus(id)).to.equal(137);
  });
});

/** Waits until a command succeeds in a container. */
async function untilExec(ctr: Ctr, id: string, command: readonly string[]): Promise<void> {
  for (let tries = 0; (await ctr.exec(id, command)).status !== 0; tries++) {
    if (tries === 50) throw new Error(`${command.join(' ')} never succeeded in ${id}`);
  }
}
