import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { cgroupsNamed } from './harness/cgroups.ts';
import { descendants, exitStatus, isAlive, isOurTool, reapOrphans } from './harness/processes.ts';
import { engine, tsrun } from './harness/programs.ts';
import { background, run } from './harness/run.ts';
import { scenario } from './harness/scenario.ts';
import { failed, type Scene, succeeded } from './harness/scene.ts';
import { noStrace } from './harness/strace.ts';
import { until } from './harness/until.ts';

/** A config with work at every stage: hooks, mounts, limits. */
function busyConfig(scene: Scene): void {
  scene.configure((config) => {
    config.process.args = ['sleep', '1000'];
    config.linux.resources.pids = { limit: 50 };
    config.linux.resources.memory = { limit: 64 * 1024 * 1024 };
    config.mounts.push({ destination: '/extra', type: 'tmpfs', source: 'tmpfs' });
    config.linux.namespaces.push({ type: 'cgroup' });
    const hook = { path: '/bin/true' };
    config.hooks = { createRuntime: [hook], createContainer: [hook], poststop: [hook] };
  });
}

/** After a runtime was killed: `delete --force` succeeds, and nothing is left. */
async function cleansUp(scene: Scene, id: string, when: string): Promise<void> {
  succeeded(await scene.tsrun(['delete', '--force', id]));
  const left = (): string[] => {
    reapOrphans();
    return [
      ...readdirIfThere(scene.root),
      ...cgroupsNamed(id),
      ...descendants()
        .filter((info) => !isOurTool(info))
        .map(({ pid, name }) => `process ${pid} ${name}`),
    ];
  };
  await until(`nothing to be left of ${id}`, () => left().length === 0, 3000).catch(() => undefined);
  expect(left(), `after tsrun was killed ${when}`).to.deep.equal([]);
}

function readdirIfThere(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** System calls of create, in the engine and in the init; each is a moment to die at. */
const moments = [
  'mkdir,mkdirat',
  'rename,renameat,renameat2',
  'memfd_create',
  'socket,socketpair',
  'bind,listen',
  'flock,fcntl',
  'vfork,clone3',
  'execve,execveat',
  'sendmsg',
  'recvmsg',
  'setns,unshare',
  'open_tree,fsopen,fsmount',
  'move_mount,mount_setattr',
  'pivot_root',
  'mknodat,symlinkat',
  'setresuid,capset',
];

describe('faults', () => {
  describe('create killed at a system call', () => {
    for (const calls of moments) {
      scenario(
        calls,
        async (scene) => {
          busyConfig(scene);
          for (const count of [1, 2, 3, 5, 8, 13]) {
            const id = scene.id();
            const inject = `inject=${calls}:signal=KILL:when=${count}`;
            // -D: the status is tsrun's, and nobody waits for the tracer, which stays with the container.
            const args = ['-D', '-f', '-qq', '-o', '/dev/null', '-e', `trace=${calls}`, '-e', inject];
            const command = [tsrun, '--root', scene.root, 'create', '--bundle', scene.bundle, id];
            const result = await run('strace', [...args, ...command], { cwd: scene.folder });
            expect(result.timedOut, `${calls} #${count} hangs`).to.equal(false);
            await cleansUp(scene, id, `at ${calls} #${count}`);
            if (count === 1) expect(result.status, `${calls} is never called`).not.to.equal(0);
            // It had fewer of them than that, and has finished.
            if (result.status === 0) break;
          }
        },
        noStrace,
      );
    }
  });

  describe('create meets an error', () => {
    const errors: [string, string, (scene: Scene, id: string) => string[]][] = [
      ['that its lock cannot be taken', 'flock:error=ENOLCK', () => []],
      [
        'that its lock cannot be looked at',
        'fstat,newfstatat,statx:error=EIO',
        (scene, id) => ['-P', join(scene.root, id, 'lock')],
      ],
      ['that its record does not reach the disk', 'fsync:error=EIO:when=1', () => []],
      ['when it replaces its record', 'rename,renameat,renameat2:error=EIO:when=2', () => []],
      ['when it marks its cgroups', 'lsetxattr:error=EIO', () => []],
      ['when it makes its socket', 'bind:error=ENOSPC', () => []],
    ];
    for (const [what, inject, more] of errors) {
      scenario(
        `${what}: it says so and leaves nothing`,
        async (scene) => {
          busyConfig(scene);
          const id = scene.id();
          const [calls = ''] = inject.split(':');
          const flags = [
            '-D',
            '-f',
            '-qq',
            '-o',
            '/dev/null',
            '-e',
            `trace=${calls}`,
            '-e',
            `inject=${inject}`,
          ];
          const command = [tsrun, '--root', scene.root, 'create', '--bundle', scene.bundle, id];
          const result = await run('strace', [...flags, ...more(scene, id), ...command]);
          if (result.status === 0) {
            // Without a mark it is a container all the same.
            expect(calls).to.equal('lsetxattr');
            await scene.delete(id, '--force');
          } else {
            expect(failed(result).status).to.equal(1);
            expect(result.stderr).not.to.match(/internal error/);
          }
          expect(readdirIfThere(scene.root)).to.deep.equal([]);
          expect(cgroupsNamed(id)).to.deep.equal([]);
        },
        noStrace,
      );
    }
  });

  scenario(
    'create killed after any time leaves nothing that delete --force does not remove',
    async (scene) => {
      busyConfig(scene);
      const began = performance.now();
      const first = scene.id();
      await scene.create(first);
      await scene.delete(first, '--force');
      const whole = performance.now() - began;
      for (let step = 0; step < 40; step++) {
        const id = scene.id();
        const program = background(tsrun, ['--root', scene.root, 'create', '--bundle', scene.bundle, id]);
        await delay((whole * step) / 40);
        program.child.kill('SIGKILL');
        await program.ended;
        await cleansUp(scene, id, `after ${Math.round((whole * step) / 40)} ms`);
      }
    },
  );

  scenario(
    'a killed create is seen by list and state, and its id is free again after delete --force',
    async (scene) => {
      const id = scene.id();
      scene.configure((config) => {
        config.process.args = ['sleep', '1000'];
        config.hooks = {
          createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', 'kill -KILL $PPID; sleep 1000'] }],
        };
      });
      const { status } = await scene.tsrun(['create', '--bundle', scene.bundle, id]);
      expect(status).to.equal(137);
      // The hook is an orphan now, which nobody but us can end.
      for (const { pid, name } of descendants())
        if (name === 'sleep' || name === 'sh') process.kill(pid, 'SIGKILL');
      succeeded(await scene.tsrun(['list']));
      await cleansUp(scene, id, 'by its hook');
      scene.configure();
      succeeded(await scene.tsrun(['run', '--bundle', scene.bundle, id]));
    },
  );

  scenario('a container killed while create waits for a hook leaves nothing', async (scene) => {
    const id = scene.id();
    scene.configure((config) => {
      const script = `kill -KILL $(sed 's/.*"pid": *\\([0-9]*\\).*/\\1/')`;
      config.hooks = {
        createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', script], env: ['PATH=/bin:/usr/bin'] }],
      };
    });
    const { stderr } = failed(await scene.tsrun(['create', '--bundle', scene.bundle, id]));
    expect(stderr).to.match(/killed|signal|died|ended/i);
    expect(readdirIfThere(scene.root)).to.deep.equal([]);
  });

  scenario('start killed by its own hook leaves a container that can be deleted', async (scene) => {
    const id = scene.id();
    scene.configure((config) => {
      config.process.args = ['sleep', '1000'];
      config.hooks = { poststart: [{ path: '/bin/sh', args: ['sh', '-c', 'kill -KILL $PPID'] }] };
    });
    await scene.create(id);
    expect((await scene.tsrun(['start', id])).status).to.equal(137);
    expect(await scene.state(id)).to.include({ status: 'running' });
    await cleansUp(scene, id, 'in start');
  });

  scenario('delete killed by its own hook can be repeated', async (scene) => {
    const id = scene.id();
    const flag = scene.path('flag');
    writeFileSync(flag, '');
    scene.configure((config) => {
      const script = `[ -e ${flag} ] && rm ${flag} && kill -KILL $PPID; true`;
      config.hooks = {
        poststop: [{ path: '/bin/sh', args: ['sh', '-c', script], env: ['PATH=/bin:/usr/bin'] }],
      };
    });
    await scene.create(id);
    expect((await scene.tsrun(['delete', id])).status).to.equal(137);
    await cleansUp(scene, id, 'in delete');
  });

  scenario('run killed in the foreground leaves a container that delete --force ends', async (scene) => {
    const id = scene.id();
    scene.configure((config) => (config.process.args = ['sleep', '1000']));
    const program = scene.background(['run', '--bundle', scene.bundle, id]);
    await scene.untilStatus(id, 'running');
    program.child.kill('SIGKILL');
    await program.ended;
    await cleansUp(scene, id, 'in run');
  });

  scenario('several deletes at once do not disturb each other', async (scene) => {
    const id = scene.id();
    scene.configure((config) => (config.process.args = ['sleep', '1000']));
    const pid = await scene.create(id);
    await scene.start(id);
    const all = await Promise.all([1, 2, 3, 4].map(() => scene.tsrun(['delete', '--force', id])));
    for (const result of all) succeeded(result);
    expect(isAlive(pid)).to.equal(false);
  });

  scenario('start and delete at once: one of them loses cleanly', async (scene) => {
    for (let round = 0; round < 5; round++) {
      const id = scene.id();
      scene.configure((config) => (config.process.args = ['sleep', '1000']));
      await scene.create(id);
      const [started, deleted] = await Promise.all([
        scene.tsrun(['start', id]),
        scene.tsrun(['delete', '--force', id]),
      ]);
      succeeded(deleted);
      if (started.status !== 0) failed(started);
      await cleansUp(scene, id, 'by nobody');
    }
  });

  scenario('many containers can be created and deleted at once', async (scene) => {
    scene.configure((config) => (config.process.args = ['sleep', '1000']));
    const ids = Array.from({ length: 12 }, () => scene.id());
    await Promise.all(
      ids.map(async (id) => {
        await scene.create(id);
        await scene.start(id);
        await scene.delete(id, '--force');
      }),
    );
  });

  scenario('a state root without space is a clear error', async (scene) => {
    scene.configure((config) => (config.process.args = ['sleep', '1000']));
    mkdirSync(scene.root);
    for (const size of ['size=4k,nr_inodes=2', 'size=4k,nr_inodes=3', 'size=4k,nr_inodes=5', 'size=4k']) {
      execFileSync('mount', ['-t', 'tmpfs', '-o', size, 'tmpfs', scene.root]);
      try {
        const id = scene.id();
        const result = await scene.tsrun(['create', '--bundle', scene.bundle, id]);
        if (result.status !== 0) {
          expect(failed(result).stderr).to.match(/no space left on device/i);
          expect(readdirSync(scene.root)).to.deep.equal([]);
        }
        await cleansUp(scene, id, `by nobody, with ${size}`);
      } finally {
        execFileSync('umount', [scene.root]);
      }
    }
  });

  scenario('a state root that cannot be written is a clear error', async (scene) => {
    scene.configure();
    mkdirSync(scene.root);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', scene.root]);
    try {
      const { stderr } = failed(await scene.tsrun(['create', '--bundle', scene.bundle, scene.id()]));
      expect(stderr)
        .to.match(/read-only file system/i)
        .and.contain(scene.root);
    } finally {
      execFileSync('umount', [scene.root]);
    }
  });

  scenario('a container can be started and deleted after its bundle is removed', async (scene) => {
    const id = scene.id();
    scene.configure((config) => (config.process.args = ['true']));
    const pid = await scene.create(id);
    execFileSync('mv', [scene.bundle, scene.path('moved')]);
    expect(await scene.state(id)).to.include({ status: 'created' });
    await scene.start(id);
    expect(await exitStatus(pid)).to.equal(0);
    await scene.delete(id);
  });

  scenario(
    'create with the pid limit of the caller reached is a clear error',
    async (scene) => {
      scene.configure();
      const folder = `/sys/fs/cgroup/pids/${scene.name}-caller`;
      mkdirSync(folder);
      try {
        const script = `echo $$ > ${folder}/cgroup.procs; echo 1 > ${folder}/pids.max; exec "$@"`;
        const args = [
          '-c',
          script,
          'sh',
          tsrun,
          '--root',
          scene.root,
          'create',
          '--bundle',
          scene.bundle,
          scene.id(),
        ];
        const result = await run('sh', args, { timeout: 10_000 });
        expect(result.timedOut).to.equal(false);
        expect(result.status).not.to.equal(0);
        expect(readdirIfThere(scene.root)).to.have.length.of.at.most(1);
        for (const id of readdirIfThere(scene.root)) await cleansUp(scene, id, 'by its limit');
      } finally {
        // The kernel counts a process for a moment longer than it shows it.
        await until('the cgroup to be empty', () => isRemoved(folder));
      }
    },
    () => {
      if (engine === 'node') return 'Node itself never starts with so few threads';
      return existsSync('/sys/fs/cgroup/pids') ? undefined : 'no cgroup v1 controller pids here';
    },
  );
});

function isRemoved(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EBUSY') return false;
    throw error;
  }
}
