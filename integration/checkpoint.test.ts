import { existsSync, mkdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { count, counter, Saver } from './harness/checkpoints.ts';
import { criuEnv, noCriu } from './harness/criu.ts';
import { started } from './harness/inside.ts';
import type { Result } from './harness/run.ts';
import { scenario } from './harness/scenario.ts';
import { failed, succeeded } from './harness/scene.ts';
import { until } from './harness/until.ts';

describe('checkpoint and restore', () => {
  scenario(
    'a restored program continues where it was',
    async (scene) => {
      const saver = new Saver(scene);
      const { id } = await started(scene, counter);
      await until('the first counts', () => count(scene) > 3);
      succeeded(await saver.checkpoint(id));
      failed(await scene.tsrun(['state', id]));
      const before = count(scene);
      succeeded(await saver.restore(id));
      expect(await scene.state(id)).to.include({
        status: 'running',
        pid: saver.restoredPid(),
      });
      await until('more counts', () => count(scene) > before + 3);
      expect(succeeded(await scene.tsrun(['exec', id, 'hostname'])).stdout).to.equal('tsrun-test\n');
      // And once more: what stdio is has changed.
      succeeded(await saver.checkpoint(id));
      const again = count(scene);
      succeeded(await saver.restore(id));
      await until('counts after the second time', () => count(scene) > again);
    },
    noCriu,
  );

  scenario(
    'with --leave-running a container keeps running, and a restored copy cannot take its id',
    async (scene) => {
      const saver = new Saver(scene);
      const { id, pid } = await started(scene, counter);
      succeeded(await saver.checkpoint(id, '--leave-running', '--leave-running'));
      expect(await scene.state(id)).to.include({ status: 'running', pid });
      const before = count(scene);
      await until('more counts', () => count(scene) > before);
      expect(failed(await saver.restore(id)).stderr).to.match(/already exists/);
      expect(await scene.state(id)).to.include({ status: 'running', pid });
    },
    noCriu,
  );

  scenario(
    'a paused container is saved and restored, as containerd does it',
    async (scene) => {
      const saver = new Saver(scene);
      const { id } = await started(scene, counter);
      await until('the first counts', () => count(scene) > 1);
      succeeded(await scene.tsrun(['pause', id]));
      succeeded(await saver.checkpoint(id));
      const before = count(scene);
      succeeded(await saver.restore(id));
      if ((await scene.state(id)).status === 'paused') succeeded(await scene.tsrun(['resume', id]));
      await until('more counts', () => count(scene) > before);
    },
    noCriu,
  );

  scenario(
    'bind mounts show the host after the restore as before',
    async (scene) => {
      const saver = new Saver(scene);
      const shared = scene.path('shared');
      mkdirSync(shared);
      writeFileSync(join(shared, 'file'), 'one');
      const { id } = await started(scene, (config) => {
        config.mounts.push(
          { destination: '/made/data', type: 'bind', source: shared, options: ['rbind', 'ro'] },
          { destination: '/dev/shared', type: 'bind', source: shared, options: ['bind'] },
        );
      });
      succeeded(await saver.checkpoint(id));
      writeFileSync(join(shared, 'file'), 'two');
      succeeded(await saver.restore(id));
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
      const saver = new Saver(scene);
      const { id } = await started(scene, (config) => {
        config.process.args = ['sh', '-c', 'while [ ! -e /go ]; do sleep 0.02; done; exit 7'];
      });
      succeeded(await saver.checkpoint(id));
      writeFileSync(join(scene.rootfs, 'go'), '');
      const where = ['--image-path', scene.path('images'), '--bundle', scene.bundle];
      expect((await scene.tsrun(['restore', ...where, id], { env: criuEnv })).status).to.equal(7);
      failed(await scene.tsrun(['state', id]));
    },
    noCriu,
  );

  scenario(
    '/dev/null among the saved stdio stays /dev/null, whatever restore has',
    async (scene) => {
      const saver = new Saver(scene);
      const id = await saver.started(counter);
      await until('the first counts', () => count(scene) > 1);
      succeeded(await saver.checkpoint(id));
      const before = count(scene);
      const where = ['--image-path', scene.path('images'), '--bundle', scene.bundle];
      scene.owns(id);
      const restoring = scene.background(['restore', ...where, id], { env: criuEnv });
      await until('more counts', () => count(scene) > before);
      await scene.untilStatus(id, 'running');
      const { pid } = await scene.state(id);
      expect([0, 1, 2].map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))).to.deep.equal(
        Array(3).fill('/dev/null'),
      );
      await scene.kill(id, 'KILL');
      expect(await restoring.ended).to.include({ status: 137 });
    },
    noCriu,
  );

  scenario(
    'a restore that fails says why and leaves nothing',
    async (scene) => {
      const saver = new Saver(scene);
      const { id } = await started(scene);
      succeeded(await saver.checkpoint(id));
      writeFileSync(scene.path('images', 'pstree.img'), 'broken');
      const { stderr } = failed(await saver.restore(id));
      expect(stderr).to.match(/criu failed to restore container .*restore\.log/);
      failed(await scene.tsrun(['state', id]));
      expect(existsSync(join(scene.root, id))).to.equal(false);
    },
    noCriu,
  );

  scenario('only a running or paused container can be saved', async (scene) => {
    const saver = new Saver(scene);
    scene.configure();
    const id = scene.id();
    await scene.create(id);
    expect(failed(await saver.checkpoint(id)).stderr).to.match(/cannot be checkpointed in created state/);
    await scene.start(id);
    await scene.untilStatus(id, 'stopped');
    expect(failed(await saver.checkpoint(id)).stderr).to.match(/cannot be checkpointed in stopped state/);
    expect(failed(await saver.checkpoint(scene.id())).stderr).to.match(/does not exist/);
  });

  scenario('checkpoint without criu is a clear error', async (scene) => {
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
