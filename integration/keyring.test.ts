import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { compileProgram, tsrun } from './harness/programs.ts';
import { run } from './harness/run.ts';
import { sharedFolder } from './harness/hooks.ts';
import { scenario } from './harness/scenario.ts';
import { type Scene, succeeded } from './harness/scene.ts';

let keyring = '';

/** A caller with a session keyring named `caller-NAME` runs a container that describes its own. */
async function describeKeyring(scene: Scene, id: string, flags: readonly string[] = []): Promise<string[]> {
  scene.configure((config) => (config.process.args = ['/keyring']));
  copyFileSync(keyring, join(scene.rootfs, 'keyring'));
  const command = [tsrun, '--root', scene.root, 'run', '--bundle', scene.bundle, ...flags, id];
  const { stdout } = succeeded(await run(keyring, [`caller-${scene.name}`, ...command]));
  return stdout.trim().split(/[ ;]/);
}

describe('the session keyring', () => {
  before(() => {
    keyring = compileProgram('keyring', join(sharedFolder(), 'programs'));
  });

  scenario('each container has a new session keyring, which its user may search', async (scene) => {
    const ids = [scene.id(), scene.id()];
    const [first, second] = [
      await describeKeyring(scene, ids[0] ?? ''),
      await describeKeyring(scene, ids[1] ?? ''),
    ];
    expect(first.slice(1)).to.deep.equal(['keyring', '0', '0', '3f1b0000', `_ses.${ids[0]}`]);
    expect(second[5]).to.equal(`_ses.${ids[1]}`);
    expect(first[0]).not.to.equal(second[0]);
  });

  scenario('--no-new-keyring leaves the session keyring of the caller', async (scene) => {
    const [, type, , , , name] = await describeKeyring(scene, scene.id(), ['--no-new-keyring']);
    expect([type, name]).to.deep.equal(['keyring', `caller-${scene.name}`]);
  });

  scenario('detached containers have a session keyring as well, and exec joins it', async (scene) => {
    const id = scene.id();
    scene.configure((config) => (config.process.args = ['sleep', '1000']));
    copyFileSync(keyring, join(scene.rootfs, 'keyring'));
    await scene.create(id);
    await scene.start(id);
    const { stdout } = succeeded(await scene.tsrun(['exec', id, '/keyring']));
    expect(stdout).to.contain(`;_ses.${id}\n`);
  });
});
