import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Saver } from './harness/checkpoints.ts';
import { noCriu } from './harness/criu.ts';
import { scenario } from './harness/scenario.ts';
import { failed, succeeded } from './harness/scene.ts';

/** Where resctrl is mounted, if the processor has it. */
const root = /^\S+ \S+ \S+ \/ (\S+) .* - resctrl /m.exec(readFileSync('/proc/self/mountinfo', 'utf8'))?.[1];

const withoutIt = (): string | undefined =>
  root === undefined
    ? 'no resctrl is mounted: it takes a processor with RDT; lib/resctrl/class.test.ts has a tree of files'
    : undefined;
const withIt = (): string | undefined => (root === undefined ? undefined : 'resctrl is mounted here');

describe('intelRdt', () => {
  scenario(
    'linux.intelRdt without resctrl is an error, and nothing is made',
    async (scene) => {
      const { stderr } = await scene.failure((config) => (config.linux.intelRdt = { closID: 'c' }));
      expect(stderr).to.match(/\/linux\/intelRdt.*no resctrl filesystem is mounted/);
    },
    withIt,
  );

  scenario(
    'the class and monitoring group of linux.intelRdt live as long as the container',
    async (scene) => {
      const id = scene.id();
      scene.configure((config) => (config.linux.intelRdt = { enableMonitoring: true }));
      const pid = await scene.create(id);
      const directory = join(root ?? '', id);
      expect(readFileSync(join(directory, 'tasks'), 'utf8').split('\n')).to.include(String(pid));
      expect(existsSync(join(directory, 'mon_groups', id))).to.equal(true);
      await scene.delete(id, '--force');
      expect(existsSync(directory)).to.equal(false);
    },
    withoutIt,
  );

  scenario(
    'restore with linux.intelRdt and without resctrl is an error, and leaves nothing',
    async (scene) => {
      const saver = new Saver(scene);
      const id = await saver.started((config) => (config.process.args = ['sleep', '1000']));
      succeeded(await saver.checkpoint(id));
      scene.configure((config) => (config.linux.intelRdt = { closID: 'c' }));
      expect(failed(await saver.restore(id)).stderr).to.match(/no resctrl filesystem is mounted/);
      failed(await scene.tsrun(['state', id]));
    },
    () => withIt() ?? noCriu(),
  );
});
