import { expect } from 'chai';
import { noCriu } from '../../harness/criu.ts';
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

  for (const cgroupns of ['host', 'private']) {
    action(
      `checkpoint and restore (--cgroupns ${cgroupns})`,
      async (docker, id) => {
        const script = 'n=0; while :; do echo $((n = n + 1)) > /count; sleep 0.01; done';
        // What comes back of a network and a filter is between the engine and criu.
        const flags = ['--cgroupns', cgroupns, '--network', 'none', '--security-opt', 'seccomp=unconfined'];
        await docker.ok('run', '-d', '--name', id, ...flags, docker.image, 'sh', '-c', script);
        await docker.inside(id, 'until [ -s /count ]; do sleep 0.01; done');
        await docker.ok('checkpoint', 'create', id, 'first');
        await docker.untilField(id, 'State.Status', 'exited');
        await docker.ok('start', '--checkpoint', 'first', id);
        expect(await docker.field(id, 'State.Status')).to.equal('running');
        // Counting goes on, from where it was.
        const more = 'old=$(cat /count); until [ "$(cat /count)" -gt "$old" ]; do :; done; echo on';
        expect(await docker.inside(id, more)).to.equal('on');
      },
      { obstacle: () => noCriu() },
    );
  }
}
