import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { namespaceOf } from '../../harness/processes.ts';
import { failed, succeeded } from '../../harness/scene.ts';
import { type Podman, writeHook } from '../harness/podman.ts';
import type { DeclareAction } from '../harness/suite.ts';

/** What a container may see and do, for root and for other users alike. */
export function isolation(action: DeclareAction<Podman>): void {
  action('the default seccomp profile', async (podman, id) => {
    const script = 'grep Seccomp: /proc/self/status; unshare -U true; mount -t tmpfs x /mnt';
    const filtered = await podman.run(id, ['sh', '-c', script], '--rm', '--cap-add', 'SYS_ADMIN');
    expect(filtered.stdout).to.equal('Seccomp:\t2\n');
    const free = await podman.run(id, ['sh', '-c', script], '--rm', '--security-opt', 'seccomp=unconfined');
    expect(free.stdout).to.equal('Seccomp:\t0\n');
  });

  action("a seccomp profile of one's own", async (podman, id) => {
    const profile = join(podman.stage.folder, 'no-mkdir.json');
    const rule = { names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 28 };
    writeFileSync(profile, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [rule] }));
    const result = await podman.run(id, ['mkdir', '/x'], '--rm', '--security-opt', `seccomp=${profile}`);
    expect(result.status).to.equal(1);
    expect(result.stderr).to.include('No space left on device');
  });

  action('capabilities', async (podman, id) => {
    const flags = ['--rm', '--cap-drop', 'all', '--cap-add', 'CHOWN'];
    const { stdout } = succeeded(await podman.run(id, ['grep', 'Cap', '/proc/self/status'], ...flags));
    expect(stdout).to.match(
      /CapPrm:\t0000000000000001\nCapEff:\t0000000000000001\nCapBnd:\t0000000000000001\n/,
    );
  });

  action('--privileged', async (podman, id) => {
    const script = 'grep -c "Seccomp:.0" /proc/self/status; mount -t tmpfs x /mnt && echo mounted';
    const { stdout } = succeeded(await podman.run(id, ['sh', '-c', script], '--rm', '--privileged'));
    expect(stdout).to.equal('1\nmounted\n');
  });

  action('no new privileges, masked and read-only paths', async (podman, id) => {
    const script =
      'grep NoNewPrivs /proc/self/status; cat /proc/timer_list; echo x >/proc/sys/kernel/domainname';
    const flags = ['--rm', '--security-opt', 'no-new-privileges'];
    const result = await podman.run(id, ['sh', '-c', script], ...flags);
    expect(result.stdout).to.equal('NoNewPrivs:\t1\n');
    expect(result.stderr).to.include('domainname: Read-only file system');
  });

  action('--read-only and --tmpfs', async (podman, id) => {
    const script = 'touch /x; touch /data/x && grep " /data " /proc/mounts; touch /tmp/x && echo tmp';
    const flags = ['--rm', '--read-only', '--tmpfs', '/data:size=1m,mode=1777,noexec'];
    const result = await podman.run(id, ['sh', '-c', script], ...flags);
    expect(result.stderr).to.equal('touch: /x: Read-only file system\n');
    expect(result.stdout).to.match(/^tmpfs \/data tmpfs rw,\S*noexec\S*size=1024k.*\ntmp\n$/);
  });

  action('--ulimit and --oom-score-adj', async (podman, id) => {
    const script = 'ulimit -n; ulimit -Hn; ulimit -c; cat /proc/self/oom_score_adj';
    const flags = [
      '--rm',
      '--ulimit',
      'nofile=512:600',
      '--ulimit',
      'core=0',
      '--ulimit',
      'nproc=100',
      '--oom-score-adj',
      '500',
    ];
    const { stdout } = succeeded(await podman.run(id, ['sh', '-c', script], ...flags));
    expect(stdout).to.equal('512\n600\n0\n500\n');
  });

  action('--sysctl', async (podman, id) => {
    const flags = ['--rm', '--sysctl', 'kernel.msgmax=4242', '--sysctl', 'net.ipv4.ip_forward=1'];
    const files = ['/proc/sys/kernel/msgmax', '/proc/sys/net/ipv4/ip_forward'];
    expect(succeeded(await podman.run(id, ['cat', ...files], ...flags)).stdout).to.equal('4242\n1\n');
  });

  action('--device', async (podman, id) => {
    const script = 'stat -c %F /dev/mine; head -c3 /dev/mine | od -An -tx1';
    const { stdout } = succeeded(
      await podman.run(id, ['sh', '-c', script], '--rm', '--device', '/dev/zero:/dev/mine:r'),
    );
    expect(stdout).to.equal('character special file\n 00 00 00\n');
  });

  action('--init', async (podman, id) => {
    const { stdout } = succeeded(
      await podman.run(id, ['sh', '-c', 'cat /proc/1/comm; echo $PPID'], '--rm', '--init'),
    );
    expect(stdout).to.equal('podman-init\n1\n');
  });

  action('--hostname, --add-host, --env and --workdir', async (podman, id) => {
    const script = 'hostname; grep -c 192.0.2.7 /etc/hosts; echo $X; pwd';
    const flags = [
      '--rm',
      '--hostname',
      'here',
      '--add-host',
      'there:192.0.2.7',
      '--env',
      'X=y',
      '--workdir',
      '/tmp',
    ];
    const { stdout } = succeeded(await podman.run(id, ['sh', '-c', script], ...flags));
    expect(stdout).to.equal('here\n1\ny\n/tmp\n');
  });

  action('--user and --group-add', async (podman, id) => {
    const { stdout } = succeeded(
      await podman.run(id, ['id'], '--rm', '--user', '1000:50', '--group-add', '1'),
    );
    expect(stdout).to.match(/^uid=1000\(alice\) gid=50\(staff\) groups=.*1\(daemon\)/);
  });

  action('--pid host and --uts host', async (podman, id) => {
    await podman.started(id, '--pid', 'host', '--uts', 'host');
    const pid = await podman.pid(id);
    for (const name of ['pid', 'uts']) expect(namespaceOf(pid, name)).to.equal(namespaceOf('self', name));
    expect(namespaceOf(pid, 'mnt')).not.to.equal(namespaceOf('self', 'mnt'));
  });

  action('volumes', async (podman, id) => {
    const folder = join(podman.stage.folder, `${id}-bind`);
    makeOpenFolder(folder);
    succeeded(await podman.podman(['volume', 'create', id]));
    const flags = ['--rm', '--volume', `${id}:/data`, '--volume', `${folder}:/mnt`];
    const script = 'echo one >/data/file; echo two >/mnt/file; touch /run/file';
    const result = await podman.run(id, ['sh', '-c', script], ...flags, '--volume', `${folder}:/run:ro`);
    expect(result.stderr).to.equal('touch: /run/file: Read-only file system\n');
    expect(readFileSync(join(folder, 'file'), 'utf8')).to.equal('two\n');
    expect(succeeded(await podman.run(id, ['cat', '/data/file'], ...flags)).stdout).to.equal('one\n');
  });

  action('--rm removes the volumes without a name', async (podman, id) => {
    succeeded(await podman.run(id, ['touch', '/data/x'], '--rm', '--volume', '/data'));
    expect(succeeded(await podman.podman(['volume', 'ls', '--quiet'])).stdout).to.equal('');
  });

  action('a bind mount of a folder that is not there', async (podman, id) => {
    const { stderr } = failed(await podman.run(id, ['true'], '--volume', '/nowhere/at/all:/mnt'));
    expect(stderr).to.include('/nowhere/at/all').and.include('no such file or directory');
  });

  action('hooks', async (podman, id) => {
    const out = join(podman.stage.folder, `${id}-hooks`);
    makeOpenFolder(out);
    const stages = ['prestart', 'poststart', 'poststop'] as const;
    const dirs = stages.flatMap((stage) => {
      const script = `cat >'${out}/${stage}'`;
      return ['--hooks-dir', writeHook(podman.stage, `${id}-${stage}`, [stage], script)];
    });
    const args = podman.containerArgs(id, ['test', '-e', '/bin/sh']);
    succeeded(await podman.podman([...dirs, 'run', '--rm', ...args]));
    const states = stages.map((stage) => JSON.parse(readFileSync(join(out, stage), 'utf8')) as HookState);
    expect(states[2]?.status).to.equal('stopped');
    expect(new Set(states.map((state) => state.id)).size).to.equal(1);
  });

  action('a hook that fails', async (podman, id) => {
    const hooks = writeHook(podman.stage, id, ['prestart'], 'echo not today >&2; exit 3');
    const args = podman.containerArgs(id, ['true']);
    const { stderr } = failed(await podman.podman(['--hooks-dir', hooks, 'run', '--rm', ...args]));
    expect(stderr).to.include('not today');
  });
}

/** For the user of podman too, who need not be root. */
function makeOpenFolder(path: string): void {
  mkdirSync(path);
  chmodSync(path, 0o777);
}

interface HookState {
  id: string;
  status: string;
}
