import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { cgroupOf, controllerMount } from './harness/cgroups.ts';
import { processInfo, statusField } from './harness/processes.ts';
import { tsrun } from './harness/programs.ts';
import { run } from './harness/run.ts';
import { scenario } from './harness/scenario.ts';
import { type Edit, type Scene, succeeded } from './harness/scene.ts';
import { until } from './harness/until.ts';

/** Gives the scene's config a process that stays, and returns its pid once it is the user's program. */
async function sleeper(scene: Scene, edit: Edit): Promise<number> {
  const id = scene.id();
  scene.configure((config) => {
    config.process.args = ['sleep', '1000'];
    edit(config);
  });
  const pid = await scene.create(id);
  await scene.start(id);
  await until('execve', () => processInfo(pid)?.name === 'sleep');
  return pid;
}

/** What a program of util-linux on the host says of a process. */
async function ask(program: string, pid: number): Promise<string> {
  return succeeded(await run(program, ['-p', String(pid)])).stdout;
}

function hasRealTimeBudget(): boolean {
  const cpu = controllerMount('cpu');
  return cpu !== undefined && existsSync(join(cpu, 'cpu.rt_runtime_us'));
}

describe('scheduling', () => {
  scenario('scheduler: a policy with its priority and flags', async (scene) => {
    const pid = await sleeper(scene, (config) => {
      config.process.scheduler = {
        policy: 'SCHED_RR',
        priority: 3,
        flags: ['SCHED_FLAG_RESET_ON_FORK'],
      };
      // Where groups of cgroup v1 have a budget of real time, a new one has none.
      if (hasRealTimeBudget()) config.linux.resources.cpu = { realtimeRuntime: 1000 };
    });
    expect(await ask('chrt', pid))
      .to.match(/SCHED_RR\|SCHED_RESET_ON_FORK\n/)
      .and.match(/priority: 3\n/);
  });

  scenario('scheduler: SCHED_DEADLINE with its times', async (scene) => {
    const pid = await sleeper(scene, (config) => {
      config.process.scheduler = {
        policy: 'SCHED_DEADLINE',
        runtime: 1_000_000,
        deadline: 20_000_000,
        period: 30_000_000,
      };
    });
    expect(await ask('chrt', pid)).to.match(/1000000\/20000000\/30000000/);
  });

  scenario(
    'scheduler: SCHED_DEADLINE within a cpuset is refused, and the cpuset named',
    async (scene) => {
      const { stderr } = await scene.failure((config) => {
        config.linux.resources.cpu = { cpus: '0' };
        config.process.scheduler = { policy: 'SCHED_DEADLINE', runtime: 1_000_000, deadline: 20_000_000 };
      });
      expect(stderr).to.match(/process\/scheduler.*EPERM.*\n *hint: .*linux\.resources\.cpu\.cpus/);
      expect(stderr).not.to.contain('realtimeRuntime');
    },
    () =>
      availableParallelism() > 1 && controllerMount('cpuset') !== undefined
        ? undefined
        : 'one CPU, or no cpuset of cgroup v1',
  );

  scenario('scheduler: a niceness is set', async (scene) => {
    const pid = await sleeper(scene, (config) => {
      config.process.scheduler = { policy: 'SCHED_BATCH', nice: 7 };
      config.process.user = { uid: 1000, gid: 1000 };
      config.process.capabilities = {};
    });
    expect(await ask('chrt', pid)).to.match(/SCHED_BATCH/);
    expect(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[16]).to.equal('7');
  });

  scenario('scheduler: what the kernel refuses is named, and why', async (scene) => {
    const { stderr } = await scene.failure((config) => {
      config.process.scheduler = {
        policy: 'SCHED_DEADLINE',
        runtime: 1024,
        deadline: 2048,
        period: 2 ** 53 - 1,
      };
    });
    expect(stderr)
      .to.match(/process\/scheduler/)
      .and.match(/invalid argument/i)
      .and.match(/sched_setattr/);
    const wrong = await scene.failure((config) => (config.process.scheduler = { policy: 'SCHED_FIFO' }));
    expect(wrong.stderr).to.match(/process\/scheduler\/priority/);
  });

  scenario('scheduler: a user namespace gives no power over the host', async (scene) => {
    const { stderr } = await scene.failure((config) => {
      config.process.scheduler = { policy: 'SCHED_FIFO', priority: 1 };
      config.linux.namespaces.push({ type: 'user' });
      config.linux.uidMappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
      config.linux.gidMappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
      delete config.linux.resources.devices;
    });
    expect(stderr)
      .to.match(/process\/scheduler/)
      .and.match(/CAP_SYS_NICE/);
  });

  scenario('ioPriority is set', async (scene) => {
    const classes: [string, number, string][] = [
      ['IOPRIO_CLASS_RT', 0, 'realtime: prio 0\n'],
      ['IOPRIO_CLASS_BE', 7, 'best-effort: prio 7\n'],
      ['IOPRIO_CLASS_IDLE', 0, 'idle\n'],
    ];
    for (const [name, priority, said] of classes) {
      const pid = await sleeper(scene, (config) => {
        config.process.ioPriority = { class: name, priority };
        config.process.user = { uid: 1000, gid: 1000 };
      });
      expect(await ask('ionice', pid)).to.equal(said);
    }
  });

  scenario('personality is set', async (scene) => {
    const machine = async (domain: string): Promise<string> =>
      await scene.shell('uname -m', (config) => (config.linux.personality = { domain }));
    expect(await machine('LINUX32')).to.match(/^i[3-6]86\n|^armv[78]l\n/);
    expect(await machine('LINUX')).to.equal((await run('uname', ['-m'])).stdout);
  });

  scenario('memoryPolicy is set', async (scene) => {
    const pid = await sleeper(scene, (config) => {
      config.linux.memoryPolicy = { mode: 'MPOL_BIND', nodes: '0', flags: ['MPOL_F_STATIC_NODES'] };
    });
    expect(readFileSync(`/proc/${pid}/numa_maps`, 'utf8')).to.match(/ bind=static:0 /);
    const refused = await scene.failure((config) => {
      config.linux.memoryPolicy = { mode: 'MPOL_BIND', nodes: '1000' };
    });
    expect(refused.stderr)
      .to.match(/linux\/memoryPolicy/)
      .and.match(/invalid argument/i);
  });

  scenario('execCPUAffinity is not for the process of the container', async (scene) => {
    const edit: Edit = (config) => (config.process.execCPUAffinity = { initial: '0', final: '0' });
    const pid = await sleeper(scene, edit);
    expect(statusField(pid, 'Cpus_allowed_list')).to.equal(statusField(process.pid, 'Cpus_allowed_list'));
    const { stderr } = await scene.failure((config) => {
      config.process.execCPUAffinity = { final: 'all' };
    });
    expect(stderr).to.match(/process\/execCPUAffinity\/final/);
  });

  scenario(
    'the CPU affinity of the caller is not that of the container, nor of an exec',
    async (scene) => {
      const pinned = async (...args: string[]): Promise<string> => {
        const command = ['--cpu-list', '0', tsrun, '--root', scene.root, ...args];
        return succeeded(await run('taskset', command, { cwd: scene.folder })).stdout;
      };
      const ask = 'grep Cpus_allowed_list /proc/self/status | cut -f2';
      const id = scene.id();
      scene.configure((config) => (config.process.args = ['sh', '-c', `${ask} > /cpus; sleep 1000`]));
      scene.owns(id);
      await pinned('run', '--detach', '--bundle', scene.bundle, id);
      const file = join(scene.rootfs, 'cpus');
      await until('the container to say', () => existsSync(file) && readFileSync(file, 'utf8') !== '');
      const all = `${statusField(process.pid, 'Cpus_allowed_list')}\n`;
      expect(readFileSync(file, 'utf8')).to.equal(all);
      expect(await pinned('exec', id, 'sh', '-c', ask)).to.equal(all);
      if (controllerMount('cpuset') === undefined) return;
      const other = scene.id();
      scene.configure((config) => {
        config.process.args = ['sh', '-c', ask];
        config.linux.resources.cpu = { cpus: '1' };
      });
      expect(await pinned('run', '--bundle', scene.bundle, other)).to.equal('1\n');
    },
    () => (availableParallelism() < 2 ? 'there is one CPU only' : undefined),
  );

  scenario(
    'memoryPolicy is of the nodes of the cgroup',
    async (scene) => {
      const pid = await sleeper(scene, (config) => {
        config.linux.memoryPolicy = { mode: 'MPOL_INTERLEAVE', nodes: '0' };
        config.linux.resources.cpu = { cpus: '0', mems: '0' };
      });
      expect(cgroupOf(pid, 'cpuset')).to.match(/tsit/);
      expect(readFileSync(`/proc/${pid}/numa_maps`, 'utf8')).to.match(/ interleave:0 /);
    },
    () => (controllerMount('cpuset') === undefined ? 'no cpuset controller of cgroup v1' : undefined),
  );
});
