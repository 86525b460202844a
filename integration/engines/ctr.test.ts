import { expect } from 'chai';
import { succeeded } from '../harness/scene.ts';
import { Ctr } from './harness/ctr.ts';
import { engineSuite } from './harness/suite.ts';

engineSuite('containerd (ctr)', Ctr.open.bind(Ctr), (action) => {
  action('run, output and exit status', async (ctr, id) => {
    const result = await ctr.run(id, ['sh', '-c', 'echo out; echo err >&2; exit 42'], '--rm');
    expect(result).to.include({ status: 42, stdout: 'out\n' });
    expect(result.stderr).to.include('err\n');
  });

  action('run --detach, kill, rm', async (ctr, id) => {
    succeeded(await ctr.run(id, ['sleep', '1000'], '--detach'));
    expect((await ctr.ctr(['task', 'ls'])).stdout).to.match(new RegExp(`${id} +\\d+ +RUNNING`));
    succeeded(await ctr.ctr(['task', 'kill', '--signal', 'KILL', id]));
  });
});
