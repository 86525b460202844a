import { expect } from 'chai';
import { isAlive } from '../../harness/processes.ts';
import type { Docker } from '../harness/docker.ts';
import type { DeclareAction } from '../harness/suite.ts';

/** Containers outlive the daemon, which has live-restore. */
export function restarts(action: DeclareAction<Docker>): void {
  for (const [how, title] of [
    ['stop', 'a restart of dockerd with a container that runs'],
    ['kill', 'dockerd killed with a container that runs'],
  ] as const) {
    action(title, async (docker, id) => {
      await docker.start(id);
      const pid = Number(await docker.field(id, 'State.Pid'));
      await docker.daemon[how]();
      expect(isAlive(pid)).to.equal(true);
      await docker.restart();
      expect(await docker.field(id, 'State.Status')).to.equal('running');
      expect(await docker.inside(id, 'echo still there')).to.equal('still there');
      await docker.ok('kill', id);
      expect(await docker.ok('wait', id)).to.equal('137');
    });
  }

  action('a container that ends while dockerd is away', async (docker, id) => {
    await docker.start(id);
    const pid = Number(await docker.field(id, 'State.Pid'));
    await docker.daemon.kill();
    process.kill(pid, 'SIGKILL');
    await docker.restart();
    expect(await docker.field(id, 'State.Status')).to.equal('exited');
    expect(await docker.field(id, 'State.ExitCode')).to.equal('137');
    expect(await docker.ok('start', id)).to.equal(id);
    expect(await docker.inside(id, 'echo again')).to.equal('again');
  });
}
