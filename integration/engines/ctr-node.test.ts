import { rmSync } from 'node:fs';
import { expect } from 'chai';
import { removeCgroups } from '../harness/cgroups.ts';
import { succeeded } from '../harness/scene.ts';
import { Ctr } from './harness/ctr.ts';
import { leftByEngine, snapshotOfEngine } from './harness/leaks.ts';
import { runtimes } from './harness/runtime.ts';
import { makeStage } from './harness/suite.ts';

// The engine is asked for in the environment, which containerd hands on to its shims and those to the runtime.
describe('containerd (ctr) with tsrun on Node', () => {
  it('containerd with tsrun on Node runs, executes, pauses and removes a container', async () => {
    const snapshot = snapshotOfEngine();
    const stage = makeStage(runtimes.tsrun, { TSRUN_ENGINE: 'node' });
    const ctr = await Ctr.open(stage);
    const id = `${stage.name}node`;
    try {
      expect(await ctr.shell(`${id}a`, 'echo out')).to.equal('out\n');
      await ctr.detached(id, ['sleep', '1000']);
      expect((await ctr.exec(id, ['sh', '-c', 'echo in; exit 4'])).status).to.equal(4);
      succeeded(await ctr.ctr(['task', 'pause', id]));
      succeeded(await ctr.ctr(['task', 'resume', id]));
      succeeded(await ctr.ctr(['task', 'kill', '--signal', 'KILL', id]));
      expect(await ctr.exitStatus(id)).to.equal(137);
    } finally {
      await ctr.reset();
      await ctr.close();
    }
    expect(await leftByEngine(snapshot, stage.name)).to.deep.equal([]);
    removeCgroups(stage.name);
    rmSync(stage.folder, { recursive: true });
  });
});
