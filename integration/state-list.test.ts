import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { exitStatus } from './harness/processes.ts';
import { scenario } from './harness/scenario.ts';
import { failed, succeeded } from './harness/scene.ts';

interface Listed {
  id: string;
  status: string;
  pid: number;
  bundle: string;
  owner: string;
}

describe('state and list', () => {
  scenario('state prints JSON with two spaces and no newline at the end', async (scene) => {
    const id = scene.id();
    scene.configure((config) => (config.annotations = { 'org.example.key': 'value "quoted"' }));
    const pid = await scene.create(id);
    const { stdout } = succeeded(await scene.tsrun(['state', id]));
    const state = JSON.parse(stdout) as Record<string, unknown>;
    expect(stdout).to.equal(JSON.stringify(state, null, 2));
    expect(state).to.include({ id, pid, status: 'created', bundle: scene.bundle, rootfs: scene.rootfs });
    expect(state['annotations']).to.deep.include({ 'org.example.key': 'value "quoted"' });
    expect(state['ociVersion']).to.match(/^1\.\d+\.\d+/);
    expect(Date.parse(String(state['created']))).to.be.closeTo(Date.now(), 60_000);
    const keys = ['ociVersion', 'id', 'pid', 'status', 'bundle', 'rootfs', 'created', 'annotations', 'owner'];
    expect(Object.keys(state)).to.deep.equal(keys);
  });

  scenario('list prints a table, ids alone, or JSON on one line', async (scene) => {
    const [created, stopped] = [scene.id(), scene.id()];
    scene.configure();
    const pid = await scene.create(created);
    const ended = await scene.create(stopped);
    await scene.start(stopped);
    await exitStatus(ended);

    const table = succeeded(await scene.tsrun(['list']))
      .stdout.trimEnd()
      .split('\n');
    expect(table[0]?.split(/\s+/)).to.deep.equal(['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER']);
    const row = table.find((line) => line.startsWith(`${created} `))?.split(/\s+/);
    expect(row?.slice(0, 4)).to.deep.equal([created, String(pid), 'created', scene.bundle]);
    expect(row?.[5]).to.equal('root');

    const quiet = succeeded(await scene.tsrun(['list', '-q'])).stdout;
    expect(quiet.trimEnd().split('\n').sort()).to.deep.equal([created, stopped].sort());

    for (const flag of [['-f', 'json'], ['--format', 'json'], ['--format=json']]) {
      const json = succeeded(await scene.tsrun(['list', ...flag])).stdout.trimEnd();
      expect(json).not.to.contain('\n');
      const listed = (JSON.parse(json) as Listed[]).sort((a, b) => a.id.localeCompare(b.id));
      expect(listed.map(({ id, status, owner }) => ({ id, status, owner }))).to.deep.equal([
        { id: created, status: 'created', owner: 'root' },
        { id: stopped, status: 'stopped', owner: 'root' },
      ]);
    }
  });

  scenario('an empty list is null as JSON, and the heading as a table', async (scene) => {
    expect(succeeded(await scene.tsrun(['list', '-f', 'json'])).stdout.trim()).to.equal('null');
    expect(succeeded(await scene.tsrun(['list'])).stdout.trim()).to.match(/^ID\s+PID\s+STATUS/);
    expect(succeeded(await scene.tsrun(['list', '-q'])).stdout).to.equal('');
  });

  scenario('one broken folder does not break list, and delete --force removes it', async (scene) => {
    const id = scene.id();
    scene.configure();
    await scene.create(id);
    const broken = ['empty', 'garbage', 'truncated', 'wrong'].map((name) => `${scene.name}-${name}`);
    for (const name of broken) mkdirSync(join(scene.root, name), { mode: 0o700 });
    const good = 'state.json';
    const text = readFileSync(join(scene.root, id, good), 'utf8');
    writeFileSync(join(scene.root, broken[1] ?? '', good), '\u0000\u0001 not json');
    writeFileSync(join(scene.root, broken[2] ?? '', good), text.slice(0, text.length / 2));
    writeFileSync(join(scene.root, broken[3] ?? '', good), '{"id": 7, "pid": "x"}');

    const { stdout } = succeeded(await scene.tsrun(['list', '-q']));
    expect(stdout.split('\n')).to.include(id);
    for (const name of broken) {
      const words = name.endsWith('empty') ? /does not exist/ : /is broken/;
      expect(failed(await scene.tsrun(['state', name])).stderr)
        .to.contain(name)
        .and.match(words);
      await scene.delete(name, '--force');
    }
    expect(succeeded(await scene.tsrun(['list', '-q'])).stdout).to.equal(`${id}\n`);
  });

  scenario('a process that got the pid of a stopped container is not taken for it', async (scene) => {
    const id = scene.id();
    scene.configure();
    const pid = await scene.create(id);
    await scene.start(id);
    await exitStatus(pid);
    // Another process with the same pid: in a pid namespace of ours we could choose it, so take one that is
    // alive for sure and put it into the state instead.
    for (const name of stateFiles(join(scene.root, id))) {
      const file = join(scene.root, id, name);
      const text = readFileSync(file, 'utf8');
      writeFileSync(file, text.replaceAll(new RegExp(`\\b${pid}\\b`, 'g'), String(process.pid)));
    }
    expect(await scene.state(id)).to.include({ status: 'stopped' });
    expect(failed(await scene.tsrun(['kill', id, 'KILL'])).stderr).to.match(/container not running/);
    await scene.delete(id, '--force');
  });

  scenario('the state folder is for its owner only', async (scene) => {
    const id = scene.id();
    scene.configure();
    await scene.create(id);
    expect(statSync(join(scene.root, id)).mode & 0o077).to.equal(0o011 & statSync(join(scene.root, id)).mode);
    for (const name of stateFiles(join(scene.root, id))) {
      expect(statSync(join(scene.root, id, name)).mode & 0o077).to.equal(0);
    }
  });

  scenario('a state root that cannot be used is a clear error', async (scene) => {
    scene.configure();
    const file = scene.path('file');
    writeFileSync(file, '');
    chmodSync(file, 0o600);
    const { stderr } = failed(
      await scene.tsrun(['--root', file, 'create', '--bundle', scene.bundle, scene.id()]),
    );
    expect(stderr)
      .to.contain(file)
      .and.match(/not a directory|file (already )?exists/i);
    const { stderr: root } = failed(await scene.tsrun(['--root', '/', 'list']));
    expect(root).to.match(/--root folder must not be \//);
  });

  scenario('list refuses a state root that cannot exist, and is empty for one that can', async (scene) => {
    for (const root of ['/proc/nowhere', '/sys/nowhere/state', join(scene.bundle, 'config.json/state')]) {
      scene.configure();
      for (const flags of [[], ['--quiet'], ['--format', 'json']]) {
        const { stderr, stdout } = failed(await scene.tsrun(['--root', root, 'list', ...flags]));
        expect(stderr)
          .to.contain(root)
          .and.match(/no such file|not permitted|not a directory/);
        expect(stdout).to.equal('');
      }
    }
    const root = scene.path('new', 'state');
    expect(succeeded(await scene.tsrun(['--root', root, 'list', '-q'])).stdout).to.equal('');
  });
});

/** The JSON files of a container's state folder. */
function stateFiles(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.endsWith('.json'));
}
