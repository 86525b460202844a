import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { controllerMount } from './harness/cgroups.ts';
import { refused, started } from './harness/inside.ts';
import { isAlive } from './harness/processes.ts';
import { tsrun } from './harness/programs.ts';
import { run } from './harness/run.ts';
import { scenario } from './harness/scenario.ts';
import { failed, type Scene, succeeded } from './harness/scene.ts';
import { until } from './harness/until.ts';

/** Gives the scene a state root of its own small filesystem while the body runs. */
async function onSmallRoot(scene: Scene, body: () => Promise<void>): Promise<void> {
  mkdirSync(scene.root);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', scene.root]);
  try {
    await body();
  } finally {
    // Its containers go with it, so they must be gone before.
    await scene.deleteAll();
    execFileSync('umount', [scene.root]);
  }
}

/** Takes the last byte of the state root. Its name is that of a cache: no container. */
function fill(scene: Scene): void {
  const file = `${scene.root}/@full`;
  try {
    writeFileSync(file, Buffer.alloc(1 << 20));
  } catch (error) {
    expect(String(error)).to.match(/ENOSPC/);
  }
}

describe('limits that are reached', () => {
  scenario('a stdout that is full is an error of the system, and of no part of tsrun', async (scene) => {
    scene.configure();
    const commandLines = [
      ['list'],
      ['list', '--format', 'json'],
      ['features'],
      ['--version'],
      ['--help'],
      ['completion', 'bash'],
      ['plan', scene.bundle],
      ['validate', scene.bundle],
    ];
    for (const args of commandLines) {
      const line = 'exec "$0" --root "$@" > /dev/full';
      const command = ['-c', line, tsrun, scene.root, ...args];
      const { stderr } = failed(await run('sh', command));
      expect(stderr, args.join(' ')).to.match(
        /^tsrun(: | \w+ failed: )write to stdout: no space left on device \(ENOSPC\)\n$/,
      );
      // The message itself may be what cannot be written.
      const silent = await run('sh', ['-c', `${line} 2>&1`, tsrun, scene.root, ...args]);
      expect(silent.status, args.join(' ')).to.equal(1);
    }
  });

  scenario('a state root that is full after create: what frees space still works', async (scene) => {
    await onSmallRoot(scene, async () => {
      const id = scene.id();
      scene.configure((config) => (config.process.args = ['sleep', '1000']));
      const pid = await scene.create(id);
      fill(scene);
      const start = await scene.tsrun(['start', id]);
      if (start.status !== 0) expect(start.stderr).to.match(/no space left on device/i);
      expect(['created', 'running']).to.include((await scene.state(id)).status);
      succeeded(await scene.tsrun(['list']));
      succeeded(await scene.tsrun(['delete', '--force', id]));
      expect(isAlive(pid)).to.equal(false);
    });
  });

  scenario('output that nobody has room for is an error like others', async (scene) => {
    scene.configure();
    const root = ['--root', scene.root];
    for (const args of [['list'], ['features'], ['--help'], ['plan', '--bundle', scene.bundle]]) {
      const { status, stderr } = failed(
        await run('sh', ['-c', '"$@" >/dev/full', 'sh', tsrun, ...root, ...args]),
      );
      expect(status).to.equal(1);
      expect(stderr).to.match(/write to stdout: no space left on device \(ENOSPC\)\n$/);
    }
    const mute = await run('sh', ['-c', '"$@" 2>/dev/full', 'sh', tsrun, ...root, 'state', 'nobody']);
    expect(mute.status).to.equal(1);
  });

  scenario('delete works in a state root that is full while the container runs', async (scene) => {
    await onSmallRoot(scene, async () => {
      const { id, exec } = await started(scene);
      fill(scene);
      const result = await exec([], ['echo', 'inside']);
      if (result.status !== 0) expect(refused(result).stderr).to.match(/no space left on device/i);
      else expect(result.stdout).to.equal('inside\n');
      succeeded(await scene.tsrun(['ps', id]));
      succeeded(await scene.tsrun(['kill', id, 'KILL']));
      succeeded(await scene.tsrun(['delete', '--force', id]));
    });
  });

  scenario(
    'exec into a container whose process limit is reached is a clear error',
    async (scene) => {
      const limit = 6;
      const { id, pid, exec } = await started(scene, (config) => {
        // No command of its own may make a process after these; ":" is the shell's own.
        const script = 'for i in 1 2 3 4 5; do sleep 1000 & done; : > /full; wait';
        config.process.args = ['sh', '-c', script];
        config.linux.resources.pids = { limit };
      });
      await until('the processes', () => existsSync(`${scene.rootfs}/full`));
      // A process that moved in above the limit would be one that somebody outside has to move: it is refused.
      const { status, stderr } = await exec([], ['true']);
      expect(status).to.equal(255);
      expect(stderr).to.match(/resource temporarily unavailable \(EAGAIN\)/);
      expect(stderr).to.include('pids.limit');
      expect(isAlive(pid)).to.equal(true);
      // What had begun has not stayed, and the container's own processes are as they were.
      const members = JSON.parse(
        succeeded(await scene.tsrun(['ps', '--format', 'json', id])).stdout,
      ) as number[];
      expect(members).to.have.lengthOf(limit);
      const victims = members.filter((member) => readFileSync(`/proc/${member}/comm`, 'utf8') === 'sleep\n');
      for (const victim of victims.slice(0, 2)) process.kill(victim, 'SIGKILL');
      // One for the process, and one that makes it.
      await until('room for two processes', () => victims.slice(0, 2).every((victim) => !isAlive(victim)));
      succeeded(await exec([], ['true']));
      // The init left, so there is room for what the process starts.
      succeeded(await exec([], ['sh', '-c', 'true & wait']));
    },
    () => (controllerMount('pids') === undefined ? 'no cgroup v1 controller pids here' : undefined),
  );
});
