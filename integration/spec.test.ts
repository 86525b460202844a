import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import type { Config } from '../lib/config/types.ts';
import { scenario } from './harness/scenario.ts';
import { failed, succeeded } from './harness/scene.ts';

describe('spec', () => {
  scenario('spec writes config.json into the working directory, or the bundle', async (scene) => {
    const other = scene.path('other');
    mkdirSync(other);
    succeeded(await scene.tsrun(['spec'], { cwd: other }));
    const config = JSON.parse(readFileSync(`${other}/config.json`, 'utf8')) as Config;
    expect(config.process?.args).to.deep.equal(['sh']);
    expect(config.root).to.deep.include({ path: 'rootfs' });
    succeeded(await scene.tsrun(['spec', '--bundle', scene.bundle]));
    expect(JSON.parse(readFileSync(`${scene.bundle}/config.json`, 'utf8'))).to.deep.equal(config);
  });

  scenario('spec never overwrites a config.json', async (scene) => {
    scene.writeConfig('mine');
    const { stderr } = failed(await scene.tsrun(['spec', '--bundle', scene.bundle]));
    expect(stderr).to.match(/config\.json exists\. Remove it first/);
    expect(readFileSync(`${scene.bundle}/config.json`, 'utf8')).to.equal('mine');
  });

  scenario('spec --rootless makes a user namespace and maps the caller', async (scene) => {
    succeeded(await scene.tsrun(['spec', '--rootless', '--bundle', scene.bundle]));
    const { linux, mounts } = readConfig(scene.bundle);
    expect(linux?.namespaces?.map(({ type }) => type))
      .to.include('user')
      .and.not.include('network');
    expect(linux?.uidMappings).to.deep.equal([{ containerID: 0, hostID: 0, size: 1 }]);
    expect(linux?.resources).to.equal(undefined);
    expect(mounts?.find(({ destination }) => destination === '/sys')?.options).to.include('rbind');
  });

  for (const runtime of ['tsrun', 'runc'] as const) {
    scenario(`what it writes runs on ${runtime}`, async (scene) => {
      succeeded(await scene.tsrun(['spec', '--bundle', scene.bundle]));
      scene.writeConfig(withoutTerminal(readConfig(scene.bundle), ['sh', '-c', 'echo $$; hostname']));
      const { stdout } = succeeded(await scene[runtime](['run', '--bundle', scene.bundle, scene.id()]));
      expect(stdout).to.match(/^1\n\w+\n$/);
    });
  }

  scenario('what runc spec writes runs unchanged', async (scene) => {
    succeeded(await scene.runc(['spec', '--bundle', scene.bundle]));
    const text = readFileSync(`${scene.bundle}/config.json`, 'utf8');
    // runc's config asks for a terminal, and a detached container for a console socket, so only these change.
    scene.writeConfig(withoutTerminal(JSON.parse(text) as Config, ['sh', '-c', 'echo $$; hostname; id -u']));
    const { stdout, stderr } = succeeded(await scene.run());
    expect(stdout).to.equal('1\nrunc\n0\n');
    // Some versions of runc ask for ambient capabilities that no kernel grants.
    for (const line of stderr.split('\n')) expect(line).to.match(/^$|warning.*ambient/);
  });

  scenario('spec into a missing bundle is a clear error', async (scene) => {
    const { stderr } = failed(await scene.tsrun(['spec', '--bundle', scene.path('nowhere')]));
    expect(stderr)
      .to.contain(scene.path('nowhere'))
      .and.match(/no such file or directory/);
    expect(existsSync(scene.path('nowhere'))).to.equal(false);
    writeFileSync(scene.path('file'), '');
    const noFolder = failed(await scene.tsrun(['spec', '--bundle', scene.path('file')]));
    expect(noFolder.stderr)
      .to.contain(scene.path('file'))
      .and.match(/not a directory/);
  });
});

function readConfig(bundle: string): Config {
  return JSON.parse(readFileSync(`${bundle}/config.json`, 'utf8')) as Config;
}

function withoutTerminal(config: Config, args: string[]): Config {
  return { ...config, process: { cwd: '/', ...config.process, terminal: false, args } };
}
