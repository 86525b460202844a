import { expect } from 'chai';
import { failed } from '../../harness/scene.ts';
import type { Docker } from '../harness/docker.ts';
import type { DeclareAction } from '../harness/suite.ts';

// Where a container sees its own limits: cgroup v1, then v2.
const files = {
  memory: ['memory/memory.limit_in_bytes', 'memory.max'],
  quota: ['cpu/cpu.cfs_quota_us', 'cpu.max'],
  pids: ['pids/pids.max', 'pids.max'],
  cpus: ['cpuset/cpuset.cpus', 'cpuset.cpus'],
} as const;
type Limit = keyof typeof files;

/** A script that prints limits one a line, the first word of each. */
const show = (...limits: readonly Limit[]): string =>
  limits
    .map((limit) => files[limit].map((file) => `cat /sys/fs/cgroup/${file} 2>/dev/null`).join(' || '))
    .map((cat) => `{ ${cat}; } | cut -d' ' -f1`)
    .join('; ');

/** Resources, their change while the container runs, and what comes of too much. */
export function limits(action: DeclareAction<Docker>): void {
  action('limits of memory, processors and processes', async (docker) => {
    const flags = ['--memory', '64m', '--cpus', '0.5', '--pids-limit', '20', '--cpuset-cpus', '0'];
    const seen = await docker.shell(show('memory', 'quota', 'pids', 'cpus'), ...flags);
    expect(seen).to.equal(`${64 << 20}\n50000\n20\n0`);
  });

  action('update of limits', async (docker, id) => {
    await docker.start(id);
    const flags = ['--memory', '50m', '--memory-swap', '60m', '--cpus', '0.3', '--pids-limit', '30'];
    await docker.ok('update', ...flags, id);
    const look = async (): Promise<string> => await docker.inside(id, show('memory', 'quota', 'pids'));
    expect(await look()).to.equal(`${50 << 20}\n30000\n30`);
    // The engine sends zeros for what is not to change.
    await docker.ok('update', '--cpus', '0.4', id);
    expect(await look()).to.equal(`${50 << 20}\n40000\n30`);
    await docker.ok('update', '--pids-limit', '40', id);
    expect(await look()).to.equal(`${50 << 20}\n40000\n40`);
    await docker.ok('update', '--memory', '40m', id);
    expect(await look()).to.equal(`${40 << 20}\n40000\n40`);
    await docker.ok('update', '--cpuset-cpus', '0', id);
    expect(await docker.inside(id, show('cpus', 'memory'))).to.equal(`0\n${40 << 20}`);
  });

  action('an update that the kernel refuses', async (docker, id) => {
    await docker.start(id);
    const { stderr } = failed(await docker.docker(['update', '--cpuset-cpus', '1000', id]));
    expect(stderr).to.match(/cpu/i);
    expect(await docker.inside(id, 'echo fine')).to.equal('fine');
  });

  action('an OOM kill is reported', async (docker, id) => {
    const eater = ['sh', '-c', 'tail /dev/zero'];
    const { status } = await docker.docker(['run', '--name', id, '--memory', '20m', docker.image, ...eater]);
    expect(status).to.equal(137);
    expect(await docker.field(id, 'State.OOMKilled')).to.equal('true');
  });

  action('limits of the process (--ulimit), OOM score', async (docker) => {
    const script = 'ulimit -Sn; ulimit -Hn; cat /proc/self/oom_score_adj';
    const seen = await docker.shell(script, '--ulimit', 'nofile=100:200', '--oom-score-adj', '300');
    expect(seen).to.equal('100\n200\n300');
  });

  action('sysctl', async (docker) => {
    const flags = ['--sysctl', 'net.ipv4.ip_forward=0', '--sysctl', 'kernel.msgmax=1234'];
    const script = 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax';
    expect(await docker.shell(script, ...flags)).to.equal('0\n1234');
  });

  action('a sysctl that the kernel does not know', async (docker) => {
    const { status, stderr } = await docker.docker([
      ...['run', '--rm', '--sysctl', 'net.no_such_thing=1'],
      ...[docker.image, 'true'],
    ]);
    // Docker takes any message with these words for a command that is not there.
    expect(status).to.equal(127);
    expect(stderr).to.match(/no_such_thing.*no such file or directory/);
  });
}
