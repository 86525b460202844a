import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { criuEnv, noCriu } from './harness/criu.ts';
import { started } from './harness/inside.ts';
import type { Result } from './harness/run.ts';
import { scenario } from './harness/scenario.ts';
import { failed, succeeded } from './harness/scene.ts';
import type { Edit, Scene } from './harness/scene.ts';
import { until } from './harness/until.ts';

const counting = 'i=0; while :; do i=$((i+1)); echo $i > /count; sleep 0.02; done';

const counter: Edit = (config) => {
  config.process.args = ['sh', '-c', counting];
};

function count(scene: Scene): number {
  const file = join(scene.rootfs, 'count');
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
}

async function checkpoint(scene: Scene, id: string, ...flags: string[]): Promise<Result> {
  return await scene.tsrun(['checkpoint', '--image-path', scene.path('images'), ...flags, id], {
    env: criuEnv,
  });
}

/** As engines call it, with the flag that has one dash too few. */
async function restore(scene: Scene, id: string, ...flags: string[]): Promise<Result> {
  const pidFile = scene.path('restored.pid');
  const where = ['--image-path', scene.path('images'), '--bundle', scene.bundle, '--pid-file', pidFile];
  const result = await scene.tsrun(['restore', '--detach', '-no-subreaper', ...where, ...flags, id], {
    env: criuEnv,
  });
  if (result.status === 0) scene.owns(id);
  return result;
}

describe('checkpoint and restore', () => {
  scenario(
    'a program goes on where it was',
    async (scene) => {
      const { id } = await started(scene, counter);
      await until('the first counts', () => count(scene) > 3);
      succeeded(await checkpoint(scene, id));
      failed(await scene.tsrun(['state', id]));
      const before = count(scene);
      succeeded(await restore(scene, id));
      expect(await scene.state(id)).to.include({
        status: 'running',
        pid: Number(readFileSync(scene.path('restored.pid'), 'utf8')),
      });
      await until('more counts', () => count(scene) > before + 3);
      expect(succeeded(await scene.tsrun(['exec', id, 'hostname'])).stdout).to.equal('tsrun-test\n');
      // And once more: what stdio is has changed.
      succeeded(await checkpoint(scene, id));
      const again = count(scene);
      succeeded(await restore(scene, id));
      await until('counts after the second time', () => count(scene) > again);
    },
    noCriu,
  );

  scenario(
    'left running, it goes on by itself, and a copy of it cannot take its id',
    async (scene) => {
      const { id, pid } = await started(scene, counter);
      succeeded(await checkpoint(scene, id, '--leave-running', '--leave-running'));
      expect(await scene.state(id)).to.include({ status: 'running', pid });
      const before = count(scene);
      await until('more counts', () => count(scene) > before);
      expect(failed(await restore(scene, id)).stderr).to.match(/already exists/);
      expect(await scene.state(id)).to.include({ status: 'running', pid });
    },
    noCriu,
  );

  scenario(
    'a paused container, as containerd does it',
    async (scene) => {
      const { id } = await started(scene, counter);
      await until('the first counts', () => count(scene) > 1);
      succeeded(await scene.tsrun(['pause', id]));
      succeeded(await checkpoint(scene, id));
      const before = count(scene);
      succeeded(await restore(scene, id));
      if ((await scene.state(id)).status === 'paused') succeeded(await scene.tsrun(['resume', id]));
      await until('more counts', () => count(scene) > before);
    },
    noCriu,
  );

  scenario(
    'bind mounts show the host after the restore as before',
    async (scene) => {
      const shared = scene.path('shared');
      mkdirSync(shared);
      writeFileSync(join(shared, 'file'), 'one');
      const { id } = await started(scene, (config) => {
        config.mounts.push(
          { destination: '/made/data', type: 'bind', source: shared, options: ['rbind', 'ro'] },
          { destination: '/dev/shared', type: 'bind', source: shared, options: ['bind'] },
        );
      });
      succeeded(await checkpoint(scene, id));
      writeFileSync(join(shared, 'file'), 'two');
      succeeded(await restore(scene, id));
      const read = async (...command: string[]): Promise<Result> =>
        await scene.tsrun(['exec', id, ...command]);
      expect(succeeded(await read('cat', '/made/data/file')).stdout).to.equal('two');
      failed(await read('touch', '/made/data/new'));
      succeeded(await read('touch', '/dev/shared/new'));
      expect(existsSync(join(shared, 'new'))).to.equal(true);
    },
    noCriu,
  );

  scenario(
    'in the foreground, restore ends as the program does',
    async (scene) => {
      const { id } = await started(scene, (config) => {
        config.process.args = ['sh', '-c', 'while [ ! -e /go ]; do sleep 0.02; done; exit 7'];
      });
      succeeded(await checkpoint(scene, id));
      writeFileSync(join(scene.rootfs, 'go'), '');
      const where = ['--image-path', scene.path('images'), '--bundle', scene.bundle];
      expect((await scene.tsrun(['restore', ...where, id], { env: criuEnv })).status).to.equal(7);
      failed(await scene.tsrun(['state', id]));
    },
    noCriu,
  );

  scenario(
    'a restore that fails says why and leaves nothing',
    async (scene) => {
      const { id } = await started(scene);
      succeeded(await checkpoint(scene, id));
      writeFileSync(scene.path('images', 'pstree.img'), 'broken');
      const { stderr } = failed(await restore(scene, id));
      expect(stderr).to.match(/criu failed to restore container .*restore\.log/);
      failed(await scene.tsrun(['state', id]));
      expect(existsSync(join(scene.root, id))).to.equal(false);
    },
    noCriu,
  );

  scenario('only a running or paused container', async (scene) => {
    scene.configure();
    const id = scene.id();
    await scene.create(id);
    expect(failed(await checkpoint(scene, id)).stderr).to.match(/cannot be checkpointed in created state/);
    await scene.start(id);
    await scene.untilStatus(id, 'stopped');
    expect(failed(await checkpoint(scene, id)).stderr).to.match(/cannot be checkpointed in stopped state/);
    expect(failed(await checkpoint(scene, scene.id())).stderr).to.match(/does not exist/);
  });

  scenario('criu is missing', async (scene) => {
    const { id, pid } = await started(scene);
    // Nothing but the engine's own needs.
    const PATH = scene.path('bin');
    mkdirSync(PATH);
    symlinkSync(process.execPath, join(PATH, 'node'));
    const { stderr } = failed(await scene.tsrun(['checkpoint', id], { env: { PATH } }));
    expect(stderr).to.match(/need the program criu, which is not in \$PATH[^]*package criu/);
    expect(await scene.state(id)).to.include({ status: 'running', pid });
    succeeded(await scene.tsrun(['checkpoint', '--help']));
  });
});
