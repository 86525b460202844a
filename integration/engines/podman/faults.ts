import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { isAlive, reapOrphans } from '../../harness/processes.ts';
import { run } from '../../harness/run.ts';
import { failed, succeeded } from '../../harness/scene.ts';
import { until } from '../../harness/until.ts';
import { type Podman, writeHook } from '../harness/podman.ts';
import type { DeclareAction } from '../harness/suite.ts';

/** What goes wrong around the runtime; `reset` and the search for leaks say what is left of it. */
export function faults(action: DeclareAction<Podman>): void {
  action('containers at once', async (podman, id) => {
    const statuses = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    const results = await Promise.all(
      statuses.map((status) =>
        podman.run(`${id}-${status}`, ['sh', '-c', `echo ${status}; exit ${status}`], '--rm'),
      ),
    );
    expect(results.map(({ status }) => status)).to.deep.equal(statuses);
    expect(results.map(({ stdout }) => Number(stdout))).to.deep.equal(statuses);
  });

  action('execs at once', async (podman, id) => {
    await podman.started(id);
    const statuses = [1, 2, 3, 4, 5, 6, 7, 8];
    const results = await Promise.all(
      statuses.map((status) => podman.exec(id, ['sh', '-c', `echo ${status}; exit ${status}`])),
    );
    expect(results.map(({ status }) => status)).to.deep.equal(statuses);
    expect(results.map(({ stdout }) => Number(stdout))).to.deep.equal(statuses);
  });

  action('podman killed while the runtime creates', async (podman, id) => {
    const gate = join(podman.stage.folder, `${id}-gate`);
    mkdirSync(gate);
    const hooks = writeHook(
      podman.stage,
      id,
      ['prestart'],
      `touch '${gate}/waiting'; while [ ! -e '${gate}/open' ]; do sleep 0.01; done`,
    );
    const client = podman.background(['--hooks-dir', hooks, ...podman.runArgs(id, ['sleep', '1000'])]);
    await until('the hook', () => existsSync(join(gate, 'waiting')));
    client.child.kill('SIGKILL');
    await client.ended;
    succeeded(await run('touch', [join(gate, 'open')]));
    succeeded(await podman.podman(['rm', '--force', '--time', '0', id]));
    await podman.deleteForgotten();
  });

  action('conmon killed', async (podman, id) => {
    await podman.started(id);
    const pid = await podman.pid(id);
    process.kill(Number(await podman.inspect(id, '{{.State.ConmonPid}}')), 'SIGKILL');
    const removed = podman.podman(['rm', '--force', '--time', '0', id]);
    // Nobody but us is there to reap the container now.
    await until('the end of the container', () => (reapOrphans(), !isAlive(pid)));
    succeeded(await removed);
    await podman.deleteForgotten();
  });

  action('the container killed while execs start', async (podman, id) => {
    await podman.started(id);
    const execs = [1, 2, 3, 4, 5, 6].map((status) => podman.exec(id, ['sh', '-c', `exit ${status}`]));
    process.kill(await podman.pid(id), 'SIGKILL');
    for (const [index, { status, stderr }] of (await Promise.all(execs)).entries()) {
      if (status !== index + 1 && status !== 137) expect(stderr).to.match(/./);
      expect(status).not.to.equal(0);
    }
  });

  action('no space for the state of the runtime', async (podman, id) => {
    const root = join('/run', podman.stage.runtime.name);
    mkdirSync(root, { recursive: true });
    succeeded(await run('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', root]));
    try {
      succeeded(await run('sh', ['-c', `head -c 4096 /dev/zero >'${root}/@full'`]));
      const { stderr } = failed(await podman.run(id, ['true']));
      if (podman.stage.runtime.name === 'tsrun') expect(stderr).to.include('no space left on device');
    } finally {
      succeeded(await run('umount', [root]));
    }
    succeeded(await podman.podman(['start', id]));
    expect(readFileSync('/proc/self/mounts', 'utf8')).not.to.include(`${root} tmpfs`);
  });
}
