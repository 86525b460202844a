import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { cgroupsNamed } from './harness/cgroups.ts';
import { isAlive } from './harness/processes.ts';
import { tsrun } from './harness/programs.ts';
import { run } from './harness/run.ts';
import { scenario } from './harness/scenario.ts';
import { type Edit, failed, type Scene, succeeded } from './harness/scene.ts';
import { noStrace, withFault } from './harness/strace.ts';
import { until } from './harness/until.ts';

/** A container that runs, its record and its pid. */
async function started(
  scene: Scene,
  edit?: Edit,
  flags: readonly string[] = [],
): Promise<{ id: string; pid: number; record: string }> {
  const id = scene.id();
  scene.configure((config) => {
    config.process.args = ['sleep', '1000'];
    edit?.(config);
  });
  const pidFile = scene.path('pid');
  const create = ['create', '--bundle', scene.bundle, '--pid-file', pidFile, id];
  succeeded(await scene.tsrun([...flags, ...create]));
  scene.owns(id);
  await scene.start(id);
  return { id, pid: Number(readFileSync(pidFile, 'utf8')), record: join(scene.root, id, 'state.json') };
}

describe('a record that cannot be read', () => {
  const damages: [string, (record: string) => void][] = [
    [
      'empty',
      (record) => {
        truncateSync(record);
      },
    ],
    [
      'truncated',
      (record) => {
        truncateSync(record, 100);
      },
    ],
    [
      'gone',
      (record) => {
        unlinkSync(record);
      },
    ],
    [
      'a FIFO',
      (record) => {
        unlinkSync(record);
        execFileSync('mkfifo', [record]);
      },
    ],
  ];
  for (const [what, damage] of damages) {
    scenario(`${what}: delete --force ends and removes what the cgroups' marks lead to`, async (scene) => {
      const hook = { path: '/bin/true' };
      const { id, pid, record } = await started(scene, (config) => (config.hooks = { poststop: [hook] }));
      expect(cgroupsNamed(id)).not.to.deep.equal([]);
      damage(record);
      expect(failed(await scene.tsrun(['state', id])).stderr).to.match(/is broken/);
      failed(await scene.tsrun(['delete', id]));
      expect(succeeded(await scene.tsrun(['list'])).stderr).to.contain(id);
      expect(isAlive(pid)).to.equal(true);
      const { stderr } = succeeded(await scene.tsrun(['delete', '--force', id]));
      expect(stderr)
        .to.match(/is broken.*what could be found of it is removed/)
        .and.match(/poststop hooks.*not run/);
      expect(isAlive(pid)).to.equal(false);
      expect(cgroupsNamed(id)).to.deep.equal([]);
      expect(existsSync(join(scene.root, id))).to.equal(false);
    });
  }

  scenario('delete --force ends also a create that hangs in a hook', async (scene) => {
    const id = scene.id();
    const began = scene.path('began');
    scene.configure((config) => {
      const args = ['sh', '-c', `touch ${began}; exec sleep 1000`];
      config.hooks = { createRuntime: [{ path: '/bin/sh', args, env: ['PATH=/usr/bin:/bin'] }] };
    });
    const program = scene.background(['create', '--bundle', scene.bundle, id]);
    await until('the hook', () => existsSync(began));
    truncateSync(join(scene.root, id, 'state.json'));
    await scene.delete(id, '--force');
    expect((await program.ended).status).to.equal(1);
    expect(cgroupsNamed(id)).to.deep.equal([]);
    expect(existsSync(join(scene.root, id))).to.equal(false);
  });

  scenario(
    'delete --force does not take a container of the same id in another state root for a broken one',
    async (scene) => {
      const { id, pid, record } = await started(scene);
      const other = scene.path('other');
      scene.configure((config) => {
        config.process.args = ['sleep', '1000'];
        config.linux.cgroupsPath = `/${id}-other`;
      });
      const pidFile = scene.path('other-pid');
      const create = ['create', '--bundle', scene.bundle, '--pid-file', pidFile, id];
      succeeded(await run(tsrun, ['--root', other, ...create]));
      try {
        truncateSync(record);
        await scene.delete(id, '--force');
        expect(isAlive(pid)).to.equal(false);
        expect(isAlive(Number(readFileSync(pidFile, 'utf8')))).to.equal(true);
      } finally {
        succeeded(await run(tsrun, ['--root', other, 'delete', '--force', id]));
      }
    },
  );

  scenario(
    'a container with a broken record that cannot be found stays, and so does its folder',
    async (scene) => {
      const flags = ['--cgroup-manager', 'disabled'];
      const { id, pid, record } = await started(scene, (config) => (config.linux.resources = {}), flags);
      const text = readFileSync(record, 'utf8');
      truncateSync(record);
      const { status, stderr } = failed(await scene.tsrun(['delete', '--force', id]));
      expect(status).to.equal(1);
      expect(stderr).to.match(/no cgroup is marked as its own: it may still run/);
      expect(isAlive(pid)).to.equal(true);
      writeFileSync(record, text);
      await scene.delete(id, '--force');
      expect(isAlive(pid)).to.equal(false);
    },
  );

  scenario('a record of a newer tsrun is left alone', async (scene) => {
    const { id, pid, record } = await started(scene);
    const text = readFileSync(record, 'utf8');
    writeFileSync(record, text.replace('"version":1', '"version":2'));
    for (const command of [['delete', '--force'], ['delete'], ['state'], ['kill']]) {
      const { status, stderr } = failed(await scene.tsrun([...command, id]));
      expect(status).to.equal(1);
      expect(stderr, command.join()).to.match(/written by a newer tsrun/);
    }
    expect(isAlive(pid)).to.equal(true);
    writeFileSync(record, text);
  });
});

describe('what the kernel does not tell', () => {
  const unknown: [string, string, RegExp][] = [
    ['the mark of a cgroup', 'lgetxattr:error=EIO', /read which container the cgroup \S+ belongs to .*EIO/],
    ['whether the process runs', 'pidfd_open:error=EMFILE', /open process \d+: .*EMFILE/],
  ];
  for (const [what, inject, words] of unknown) {
    scenario(
      `${what}: delete keeps the record`,
      async (scene) => {
        const { id, pid, record } = await started(scene);
        const before = cgroupsNamed(id);
        const { status, stderr } = failed(await withFault(scene, inject, ['delete', '--force', id]));
        expect(status).to.equal(1);
        expect(stderr).to.match(words);
        expect(existsSync(record)).to.equal(true);
        expect(cgroupsNamed(id)).to.deep.equal(before);
        await scene.delete(id, '--force');
        expect(isAlive(pid)).to.equal(false);
        expect(cgroupsNamed(id)).to.deep.equal([]);
      },
      noStrace,
    );
  }

  scenario('delete keeps the record when /proc hides whether the process runs', async (scene) => {
    const { id, record } = await started(scene);
    const user = 65_533;
    const root = scene.path('theirs');
    const folder = join(root, id);
    mkdirSync(folder, { recursive: true });
    // The process is root's, the record somebody else's; so is the wish to know of it.
    const known = JSON.parse(readFileSync(record, 'utf8')) as object;
    const theirs = JSON.stringify({ ...known, cgroup: undefined, ownsCgroup: false });
    writeFileSync(join(folder, 'state.json'), theirs);
    for (const path of [root, folder, join(folder, 'state.json')]) {
      chmodSync(path, path.endsWith('.json') ? 0o600 : 0o700);
      chownSync(path, user, user);
    }
    const script = `mount -t proc -o hidepid=2 proc /proc && exec setpriv --reuid ${user} --regid ${user} --clear-groups "$@"`;
    const command = [tsrun, '--root', root, 'delete', '--force', id];
    const result = await run('unshare', ['--mount', 'sh', '-c', script, 'sh', ...command]);
    expect(failed(result).status).to.equal(1);
    expect(result.stderr).to.match(/cannot check whether process \d+ is the container's: \/proc hides it/);
    expect(existsSync(join(folder, 'state.json'))).to.equal(true);
  });

  scenario(
    'delete keeps the record when the owner of a cgroup cannot be read without power over the host',
    async (scene) => {
      const { id, pid, record } = await started(scene);
      const flags = ['--bounding-set=-sys_admin', '--inh-caps=-sys_admin'];
      const command = [tsrun, '--root', scene.root, 'delete', '--force', id];
      const { status, stderr } = failed(await run('setpriv', [...flags, ...command]));
      expect(status).to.equal(1);
      expect(stderr).to.match(/cannot be told which container the cgroup .* belongs to/);
      expect(existsSync(record)).to.equal(true);
      await scene.delete(id, '--force');
      expect(isAlive(pid)).to.equal(false);
    },
  );
});
