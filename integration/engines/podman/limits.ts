import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { cgroupOf, controllerMount } from '../../harness/cgroups.ts';
import { succeeded } from '../../harness/scene.ts';
import type { Podman } from '../harness/podman.ts';
import type { DeclareAction } from '../harness/suite.ts';

const growing = 'a=xxxxxxxxxxxxxxxx; while :; do a=$a$a; done';

/** What needs cgroups. */
export function limits(action: DeclareAction<Podman>): void {
  action('limits', async (podman, id) => {
    const flags = ['--memory', '64m', '--pids-limit', '50', '--cpu-shares', '512', '--cpus', '0.5'];
    await podman.started(id, ...flags, '--cpuset-cpus', '0');
    const value = await cgroupReader(podman, id);
    expect(value('memory', 'memory.limit_in_bytes')).to.equal(String(64 << 20));
    expect(value('pids', 'pids.max')).to.equal('50');
    expect(value('cpu', 'cpu.shares')).to.equal('512');
    expect(value('cpu', 'cpu.cfs_quota_us')).to.equal('50000');
    expect(value('cpuset', 'cpuset.cpus')).to.equal('0');
  });

  action('stats', async (podman, id) => {
    await podman.started(id, '--memory', '64m');
    const format = '{{.Name}} {{.PIDs}} {{.MemLimit}}';
    const { stdout } = succeeded(await podman.podman(['stats', '--no-stream', '--format', format, id]));
    expect(stdout).to.equal(`${id} 1 ${64 << 20}\n`);
  });

  action('update', async (podman, id) => {
    await podman.started(id, '--memory', '64m');
    succeeded(await podman.podman(['update', '--memory', '80m', '--cpu-shares', '333', id]));
    const value = await cgroupReader(podman, id);
    expect(value('memory', 'memory.limit_in_bytes')).to.equal(String(80 << 20));
    expect(value('cpu', 'cpu.shares')).to.equal('333');
    succeeded(await podman.exec(id, ['true']));
  });

  action('pause and unpause', async (podman, id) => {
    await podman.started(id);
    succeeded(await podman.podman(['pause', id]));
    expect(await podman.inspect(id, '{{.State.Status}}')).to.equal('paused');
    expect((await podman.exec(id, ['true'])).stderr).to.include('container state improper');
    succeeded(await podman.podman(['unpause', id]));
    succeeded(await podman.exec(id, ['true']));
    succeeded(await podman.podman(['pause', id]));
    succeeded(await podman.podman(['rm', '--force', '--time', '0', id]));
  });

  // On cgroup v1 conmon leaves its note of the kill in the folder where podman was started; podman looks for it
  // in the container's own.
  action('an OOM kill is reported', async (podman, id) => {
    const args = podman.containerArgs(id, ['sh', '-c', growing], '--memory', '16m');
    succeeded(await podman.podman(['create', ...args]));
    const cwd = await podman.inspect(id, '{{.StaticDir}}');
    succeeded(await podman.podman(['start', id], { cwd }));
    expect(succeeded(await podman.podman(['wait', id])).stdout).to.equal('137\n');
    expect(await podman.inspect(id, '{{.State.OOMKilled}} {{.State.ExitCode}}')).to.equal('true 137');
  });

  action('too little memory to start', async (podman, id) => {
    expect((await podman.run(id, ['true'], '--memory', '1')).status).not.to.equal(0);
  });

  action('exec at the limit of processes', async (podman, id) => {
    await podman.started(id, '--pids-limit', '1');
    const result = await podman.exec(id, ['sh', '-c', 'sleep 0 & wait; echo forked']);
    expect(result.status).not.to.equal(0);
    expect(result.stderr).not.to.equal('');
    succeeded(await podman.podman(['kill', id]));
  });

  action(
    'no cgroups',
    async (podman, id) => {
      const script = ['cat', '/proc/self/cgroup'];
      const { stdout } = succeeded(
        await podman.podman(['run', '--rm', '--cgroups', 'disabled', podman.image, ...script]),
      );
      expect(stdout).to.equal(readFileSync('/proc/self/cgroup', 'utf8'));
      expect(id).not.to.equal('');
    },
    { obstacle: (runtime) => (runtime === 'runc' ? 'runc has no --cgroup-manager' : undefined) },
  );
}

/** Reads files of a container's cgroup v1 directories. */
async function cgroupReader(
  podman: Podman,
  id: string,
): Promise<(controller: string, file: string) => string> {
  const pid = await podman.pid(id);
  return (controller, file) => {
    const path = join(controllerMount(controller) ?? '', cgroupOf(pid, controller) ?? '', file);
    return existsSync(path) ? readFileSync(path, 'utf8').trim() : `no ${path}`;
  };
}
