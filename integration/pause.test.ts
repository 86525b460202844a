import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { controllerMount, unifiedMount } from './harness/cgroups.ts';
import { refused, started } from './harness/inside.ts';
import { exitStatus, namespaceOf } from './harness/processes.ts';
import { tsrun } from './harness/programs.ts';
import { run } from './harness/run.ts';
import { scenario } from './harness/scenario.ts';
import { failed, succeeded } from './harness/scene.ts';
import { until } from './harness/until.ts';

/** Where the cgroups are that freeze: those of cgroup v1's freezer, otherwise all of cgroup v2. */
const freezer = (): string | undefined => controllerMount('freezer') ?? unifiedMount();
const noFreezer = (): string | undefined =>
  freezer() === undefined ? 'cgroups are not mounted here' : undefined;

describe('pause and resume', () => {
  scenario(
    'pause suspends every process, and resume continues it',
    async (scene) => {
      const { id } = await started(scene, (config) => {
        config.process.args = ['sh', '-c', 'while :; do echo . >> /beat; sleep 0.01; done'];
      });
      const file = join(scene.rootfs, 'beat');
      const beats = (): number => (existsSync(file) ? readFileSync(file).length : 0);
      await until('the first beats', () => beats() > 4);
      succeeded(await scene.tsrun(['pause', id]));
      expect(await scene.state(id)).to.include({ status: 'paused' });
      const before = beats();
      await delay(150);
      expect(beats()).to.equal(before);
      succeeded(await scene.tsrun(['resume', id]));
      expect(await scene.state(id)).to.include({ status: 'running' });
      await until('more beats', () => beats() > before);
    },
    noFreezer,
  );

  scenario(
    'pause and resume refuse a container in the wrong state',
    async (scene) => {
      const { id, pid } = await started(scene);
      expect(failed(await scene.tsrun(['resume', id])).stderr).to.match(/container not paused/);
      succeeded(await scene.tsrun(['pause', id]));
      expect(failed(await scene.tsrun(['pause', id])).stderr).to.match(/container not running/);
      succeeded(await scene.tsrun(['resume', id]));
      await scene.kill(id, 'KILL');
      await exitStatus(pid);
      expect(failed(await scene.tsrun(['pause', id])).stderr).to.match(/container not running/);
      expect(failed(await scene.tsrun(['resume', id])).stderr).to.match(/container not paused/);
      for (const command of ['pause', 'resume'])
        expect(failed(await scene.tsrun([command, scene.id()])).stderr).to.match(/does not exist/);
    },
    noFreezer,
  );

  scenario(
    'a container paused before its start cannot start until it is resumed',
    async (scene) => {
      const id = scene.id();
      scene.configure((config) => (config.process.args = ['sleep', '1000']));
      await scene.create(id);
      succeeded(await scene.tsrun(['pause', id]));
      expect(failed(await scene.tsrun(['pause', id])).stderr).to.match(/container not running/);
      expect(failed(await scene.tsrun(['start', id])).stderr).to.match(/paused/);
      succeeded(await scene.tsrun(['resume', id]));
      await scene.start(id);
    },
    noFreezer,
  );

  scenario(
    'a paused container can be killed and deleted',
    async (scene) => {
      const first = await started(scene);
      succeeded(await scene.tsrun(['pause', first.id]));
      await scene.kill(first.id, 'KILL');
      expect(await exitStatus(first.pid)).to.equal(137);
      const second = await started(scene);
      succeeded(await scene.tsrun(['pause', second.id]));
      expect(failed(await scene.tsrun(['delete', second.id])).stderr).to.match(/is paused|not stopped/);
      await scene.delete(second.id, '--force');
    },
    noFreezer,
  );

  scenario(
    'exec into a paused container is refused, or waits',
    async (scene) => {
      const { id, exec } = await started(scene);
      succeeded(await scene.tsrun(['pause', id]));
      const { stderr } = refused(await exec([], ['true']));
      expect(stderr).to.contain('cannot exec in a paused container (use --ignore-paused to override)');
      const program = scene.background(['exec', '--ignore-paused', id, 'sh', '-c', 'echo ran; exit 5']);
      await delay(200);
      expect(program.stdout()).to.equal('');
      succeeded(await scene.tsrun(['resume', id]));
      expect((await program.ended).status).to.equal(5);
      expect(program.stdout()).to.equal('ran\n');
    },
    noFreezer,
  );

  scenario(
    'an exec that waits for a paused container is not in its pid namespace yet',
    async (scene) => {
      const { id, pid } = await started(scene);
      succeeded(await scene.tsrun(['pause', id]));
      const program = scene.background(['exec', '--ignore-paused', id, 'true']);
      // It stops as soon as it is in the cgroup, which is the first thing it does.
      const entered = await until('the init to enter', () => pidsOf(id).find((other) => other !== pid));
      expect(namespaceOf(entered, 'pid')).to.equal(namespaceOf(process.pid, 'pid'));
      succeeded(await scene.tsrun(['resume', id]));
      expect((await program.ended).status).to.equal(0);
    },
    noFreezer,
  );

  scenario(
    'tsrun in the cgroup of the container stops and kills nothing, itself least of all',
    async (scene) => {
      const { id, pid } = await started(scene);
      const folder = join(freezer() ?? '', id);
      const script = `echo $$ > ${join(folder, 'cgroup.procs')} && exec "$@"`;
      for (const [name, ...flags] of [['pause'], ['kill', '--all']] as const) {
        // One that has stopped itself would wait for ever, and stop itself again.
        const rescue = setTimeout(() => {
          for (const other of pidsOf(id).filter((member) => member !== pid)) process.kill(other, 'SIGKILL');
          thaw(folder);
        }, 5000);
        const args = ['-c', script, 'sh', tsrun, '--root', scene.root, name, ...flags, id];
        const { stderr } = failed(await run('sh', args, { cwd: scene.folder }));
        clearTimeout(rescue);
        expect(stderr, name).to.contain('tsrun itself runs in the cgroup of this container');
        expect(await scene.state(id), name).to.include({ status: 'running', pid });
      }
    },
    noFreezer,
  );

  scenario(
    'an exec that waits for a paused container and is killed leaves nothing',
    async (scene) => {
      const { id, pid } = await started(scene);
      succeeded(await scene.tsrun(['pause', id]));
      const program = scene.background(['exec', '--ignore-paused', id, 'touch', '/ran']);
      const entered = await until('the init to enter', () => pidsOf(id).find((other) => other !== pid));
      program.child.kill('SIGKILL');
      await program.ended;
      succeeded(await scene.tsrun(['resume', id]));
      expect(await exitStatus(entered)).to.equal(1);
      expect(pidsOf(id)).to.deep.equal([pid]);
      expect(existsSync(join(scene.rootfs, 'ran'))).to.equal(false);
    },
    noFreezer,
  );
});

function thaw(folder: string): void {
  const v1 = join(folder, 'freezer.state');
  if (existsSync(v1)) writeFileSync(v1, 'THAWED');
  else writeFileSync(join(folder, 'cgroup.freeze'), '0');
}

/** Pids in the cgroup of a container that freezes it. */
function pidsOf(id: string): number[] {
  const folder = join(freezer() ?? '', id);
  return readFileSync(join(folder, 'cgroup.procs'), 'utf8').trim().split('\n').map(Number);
}
