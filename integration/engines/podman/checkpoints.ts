import { join } from 'node:path';
import { expect } from 'chai';
import { noCriu } from '../../harness/criu.ts';
import { succeeded } from '../../harness/scene.ts';
import type { Podman } from '../harness/podman.ts';
import type { DeclareAction } from '../harness/suite.ts';

const counting = 'n=0; while :; do echo $((n = n + 1)) > /count; sleep 0.01; done';
// What comes back of a filter is between the engine and criu.
const flags = ['--detach', '--security-opt', 'seccomp=unconfined'];

/** What is saved and made again by criu. */
export function checkpoints(action: DeclareAction<Podman>): void {
  const options = { obstacle: () => noCriu() };

  action(
    'checkpoint and restore',
    async (podman, id) => {
      await counter(podman, id);
      succeeded(await podman.podman(['container', 'checkpoint', id]));
      expect(await podman.inspect(id, '{{.State.Status}} {{.State.Checkpointed}}')).to.equal('exited true');
      succeeded(await podman.podman(['container', 'restore', id]));
      await goesOn(podman, id);
    },
    options,
  );

  action(
    'checkpoint to an archive, restore from it under another name',
    async (podman, id) => {
      await counter(podman, id);
      const archive = join(podman.stage.folder, `${id}.tar.gz`);
      succeeded(await podman.podman(['container', 'checkpoint', '--leave-running', '--export', archive, id]));
      expect(await podman.inspect(id, '{{.State.Status}}')).to.equal('running');
      succeeded(await podman.podman(['rm', '--force', '--time', '0', id]));
      succeeded(await podman.podman(['container', 'restore', '--import', archive, '--name', `${id}b`]));
      await goesOn(podman, `${id}b`);
    },
    options,
  );
}

async function counter(podman: Podman, id: string): Promise<void> {
  succeeded(await podman.run(id, ['sh', '-c', counting], ...flags));
  await podman.untilExec(id, ['test', '-s', '/count']);
}

/** It counts on, and not from the beginning. */
async function goesOn(podman: Podman, id: string): Promise<void> {
  expect(await podman.inspect(id, '{{.State.Status}}')).to.equal('running');
  succeeded(
    await podman.exec(id, ['sh', '-c', 'old=$(cat /count); until [ "$(cat /count)" != "$old" ]; do :; done']),
  );
}
