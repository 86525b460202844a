import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Saver } from './harness/checkpoints.ts';
import { noCriu } from './harness/criu.ts';
import { cgroupsNamed, removeCgroups } from './harness/cgroups.ts';
import { exitStatus, isAlive } from './harness/processes.ts';
import { background } from './harness/run.ts';
import { scenario } from './harness/scenario.ts';
import { type Scene, succeeded } from './harness/scene.ts';

/** Creates and starts a container with this cgroupsPath; returns its pid. */
async function started(scene: Scene, id: string, path: string, args: string[]): Promise<number> {
  scene.configure((config) => {
    config.linux.cgroupsPath = path;
    config.process.args = args;
    config.linux.resources = { pids: { limit: 77 } };
    // What is left in the cgroup would outlive the first process.
    config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== 'pid');
    config.mounts = config.mounts.filter(({ type }) => type !== 'proc');
  });
  const pid = await scene.create(id);
  await scene.start(id);
  return pid;
}

/** A container that has ended and one that has taken over its cgroup, still running. */
async function successors(scene: Scene): Promise<{ first: string; second: string; pid: number }> {
  const [first, second] = [scene.id(), scene.id()];
  const path = `/${scene.name}-shared`;
  expect(await exitStatus(await started(scene, first, path, ['true']))).to.equal(0);
  const pid = await started(scene, second, path, ['sleep', '1000']);
  return { first, second, pid };
}

describe('whose a cgroup is', () => {
  for (const flags of [['--force'], []]) {
    const command = ['delete', ...flags].join(' ');
    scenario(
      `${command} of a container that has ended leaves alone who has its cgroup now`,
      async (scene) => {
        const { first, second, pid } = await successors(scene);
        const before = cgroupsNamed(`${scene.name}-shared`);
        expect(before).not.to.deep.equal([]);
        await scene.delete(first, ...flags);
        expect(isAlive(pid)).to.equal(true);
        expect(cgroupsNamed(`${scene.name}-shared`)).to.deep.equal(before);
        await scene.delete(second, '--force');
        expect(isAlive(pid)).to.equal(false);
        expect(cgroupsNamed(`${scene.name}-shared`)).to.deep.equal([]);
      },
    );
  }

  scenario(
    'delete of a restored container leaves alone who has its cgroup now',
    async (scene) => {
      const saver = new Saver(scene);
      const [first, second] = [scene.id(), scene.id()];
      const path = `/${scene.name}-shared`;
      scene.configure((config) => {
        config.linux.cgroupsPath = path;
        config.process.args = ['sleep', '1000'];
      });
      await scene.create(first);
      await scene.start(first);
      succeeded(await saver.checkpoint(first));
      succeeded(await saver.restore(first));
      await scene.kill(first, 'KILL');
      await exitStatus(saver.restoredPid());
      const pid = await started(scene, second, path, ['sleep', '1000']);
      await scene.delete(first);
      expect(isAlive(pid)).to.equal(true);
      expect(await scene.state(second)).to.include({ status: 'running', pid });
    },
    noCriu,
  );

  scenario('kill --all leaves alone who has the cgroup of an ended container now', async (scene) => {
    const { first, second, pid } = await successors(scene);
    succeeded(await scene.tsrun(['kill', '--all', first, 'KILL']));
    await scene.tsrun(['kill', first, 'KILL']);
    await scene.tsrun(['pause', first]);
    expect(await scene.state(second)).to.include({ status: 'running', pid });
  });

  scenario('a cgroup that was removed and created again by somebody else belongs to them', async (scene) => {
    const id = scene.id();
    const path = `/${scene.name}-anew`;
    expect(await exitStatus(await started(scene, id, path, ['true']))).to.equal(0);
    const directories = cgroupsNamed(`${scene.name}-anew`);
    for (const directory of directories) {
      rmdirSync(directory);
      mkdirSync(directory);
    }
    const other = background('sleep', ['1000']);
    const inside = directories.filter((directory) => joins(directory, other.child.pid ?? 0));
    expect(inside).not.to.deep.equal([]);
    await scene.delete(id, '--force');
    const alive = isAlive(other.child.pid ?? 0);
    const left = directories.filter((directory) => existsSync(directory));
    other.child.kill('SIGKILL');
    await other.ended;
    removeCgroups(`${scene.name}-anew`);
    expect(alive).to.equal(true);
    expect(left).to.deep.equal(directories);
  });
});

/** A cpuset cgroup without CPUs takes nobody. */
function joins(directory: string, pid: number): boolean {
  try {
    writeFileSync(join(directory, 'cgroup.procs'), String(pid));
    return true;
  } catch {
    return false;
  }
}
