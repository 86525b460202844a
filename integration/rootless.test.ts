import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Config } from '../lib/config/types.ts';
import { exitStatus, namespaceOf } from './harness/processes.ts';
import { tsrun } from './harness/programs.ts';
import { type Result, run, type RunOptions } from './harness/run.ts';
import { scenario } from './harness/scenario.ts';
import { failed, type Scene, succeeded } from './harness/scene.ts';

/** A user of no importance; the account need not exist. */
const uid = 54_321;

/** Runs tsrun as that user, with a runtime folder of their own as a login gives them. */
async function asUser(scene: Scene, args: readonly string[], options: RunOptions = {}): Promise<Result> {
  const identity = [
    `--reuid=${uid}`,
    `--regid=${uid}`,
    '--clear-groups',
    '--inh-caps=-all',
    '--bounding-set=-all',
  ];
  const env = { HOME: scene.path('home'), XDG_RUNTIME_DIR: scene.path('runtime'), ...options.env };
  return await run('setpriv', [...identity, tsrun, ...args], { cwd: scene.bundle, ...options, env });
}

/** Gives the user the scene, and a config to start from, as `spec --rootless` writes it. */
async function userScene(
  scene: Scene,
  args: readonly string[],
  edit?: (config: Config) => void,
): Promise<void> {
  for (const name of ['home', 'runtime']) mkdirSync(scene.path(name), { mode: 0o700, recursive: true });
  execFileSync('chown', ['-hR', `${uid}:${uid}`, scene.folder]);
  if (!existsSync(join(scene.bundle, 'config.json'))) succeeded(await asUser(scene, ['spec', '--rootless']));
  const config = JSON.parse(readFileSync(join(scene.bundle, 'config.json'), 'utf8')) as Config;
  if (config.root !== undefined) config.root.readonly = false;
  const changed: Config = {
    ...config,
    process: { cwd: '/', ...config.process, terminal: false, args: [...args] },
  };
  edit?.(changed);
  writeFileSync(join(scene.bundle, 'config.json'), JSON.stringify(changed));
  chownSync(join(scene.bundle, 'config.json'), uid, uid);
}

describe('rootless', () => {
  scenario('spec --rootless maps the caller to root of the container', async (scene) => {
    await userScene(scene, ['true']);
    const { linux } = JSON.parse(readFileSync(join(scene.bundle, 'config.json'), 'utf8')) as Config;
    expect(linux?.uidMappings).to.deep.equal([{ containerID: 0, hostID: uid, size: 1 }]);
    expect(linux?.gidMappings).to.deep.equal([{ containerID: 0, hostID: uid, size: 1 }]);
  });

  scenario(
    'runs a container as an unprivileged user, who is root in it and nobody outside',
    async (scene) => {
      await userScene(scene, ['sh', '-c', 'id -u; echo $$; hostname; touch /file; cat /proc/self/uid_map']);
      const result = await asUser(scene, ['run', scene.id()]);
      expect(result).to.include({ status: 0 });
      expect(result.stdout).to.match(new RegExp(`^0\\n1\\n\\S+\\n\\s+0\\s+${uid}\\s+1\\n$`));
      expect(statSync(join(scene.rootfs, 'file')).uid).to.equal(uid);
      expect(result.stderr).to.equal('');
    },
  );

  scenario('the whole life, with the state below XDG_RUNTIME_DIR', async (scene) => {
    const id = scene.id();
    await userScene(scene, ['sleep', '1000']);
    succeeded(await asUser(scene, ['create', '--pid-file', 'pid', id]));
    const pid = Number(readFileSync(join(scene.bundle, 'pid'), 'utf8'));
    expect(existsSync(scene.path('runtime', 'tsrun', id))).to.equal(true);
    expect(namespaceOf(pid, 'user')).not.to.equal(namespaceOf('self', 'user'));
    succeeded(await asUser(scene, ['start', id]));
    expect(succeeded(await asUser(scene, ['state', id])).stdout).to.match(/"status": "running"/);
    expect(succeeded(await asUser(scene, ['list', '-q'])).stdout).to.equal(`${id}\n`);
    succeeded(await asUser(scene, ['kill', id, 'KILL']));
    expect(await exitStatus(pid)).to.equal(137);
    succeeded(await asUser(scene, ['delete', id]));
    expect(existsSync(scene.path('runtime', 'tsrun', id))).to.equal(false);
  });

  scenario(
    'several ids through newuidmap and newgidmap',
    async (scene) => {
      const entry = `${uid}:200000:65536`;
      await userScene(
        scene,
        ['sh', '-c', 'cat /proc/self/uid_map /proc/self/gid_map; touch /file; chown 33:34 /file'],
        (config) => {
          const mappings = [
            { containerID: 0, hostID: uid, size: 1 },
            { containerID: 1, hostID: 200_000, size: 65_536 },
          ];
          config.linux = { ...config.linux, uidMappings: mappings, gidMappings: mappings };
          const names = ['CAP_CHOWN'];
          if (config.process !== undefined)
            config.process.capabilities = { bounding: names, effective: names, permitted: names };
        },
      );
      // The tools look in /etc; the tests have a mount namespace of their own.
      for (const name of ['subuid', 'subgid', 'passwd']) {
        const file = scene.path(name);
        const extra = name === 'passwd' ? `tsit:x:${uid}:${uid}::/:/bin/sh` : entry;
        const old = existsSync(`/etc/${name}`) ? readFileSync(`/etc/${name}`, 'utf8') : '';
        if (!existsSync(`/etc/${name}`)) writeFileSync(`/etc/${name}`, '');
        writeFileSync(file, `${old}${extra}\n`, { mode: 0o644 });
        execFileSync('mount', ['--bind', file, `/etc/${name}`]);
      }
      try {
        // newuidmap is set-user-id, which a bounding set without anything would undo.
        const identity = [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--inh-caps=-all'];
        const env = { HOME: scene.path('home'), XDG_RUNTIME_DIR: scene.path('runtime') };
        const result = await run('setpriv', [...identity, tsrun, 'run', scene.id()], {
          cwd: scene.bundle,
          env,
        });
        succeeded(result);
        const rows = result.stdout
          .trim()
          .split('\n')
          .map((line) => line.trim().split(/\s+/).map(Number));
        const map = [
          [0, uid, 1],
          [1, 200_000, 65_536],
        ];
        expect(rows).to.deep.equal([...map, ...map]);
        expect(statSync(join(scene.rootfs, 'file'))).to.include({ uid: 200_032, gid: 200_033 });
      } finally {
        for (const name of ['subuid', 'subgid', 'passwd']) execFileSync('umount', [`/etc/${name}`]);
      }
    },
    () => (existsSync('/usr/bin/newuidmap') ? undefined : 'newuidmap is not installed (Debian: uidmap)'),
  );

  scenario('ids that are not the user’s own are refused with a hint', async (scene) => {
    await userScene(scene, ['true'], (config) => {
      const mappings = [{ containerID: 0, hostID: 0, size: 65_536 }];
      config.linux = { ...config.linux, uidMappings: mappings, gidMappings: mappings };
    });
    const { stderr } = failed(await asUser(scene, ['run', scene.id()]));
    expect(stderr)
      .to.match(/[ug]idMappings|[ug]id_map|new[ug]idmap/)
      .and.match(/hint/);
  });

  scenario('a config without a user namespace is refused with a hint', async (scene) => {
    await userScene(scene, ['true'], (config) => {
      const namespaces = (config.linux?.namespaces ?? []).filter(({ type }) => type !== 'user');
      config.linux = { namespaces };
    });
    const { stderr } = failed(await asUser(scene, ['run', scene.id()]));
    expect(stderr).to.match(/user namespace|rootless/);
  });

  scenario('nobody else may look into the state', async (scene) => {
    const id = scene.id();
    await userScene(scene, ['true']);
    succeeded(await asUser(scene, ['create', id]));
    expect(statSync(scene.path('runtime', 'tsrun')).mode & 0o077).to.equal(0);
    succeeded(await asUser(scene, ['delete', '--force', id]));
  });

  scenario(
    'without a cgroup namespace the cgroups of the host are out of reach (CVE-2023-25809)',
    async (scene) => {
      const script =
        'for d in $(find /sys/fs/cgroup -mindepth 1 -type d 2>/dev/null | head -n 200); do mkdir $d/new 2>/dev/null && echo $d; ' +
        'for f in $d/*; do test -w $f && echo $f; done; done; echo end';
      await userScene(scene, ['sh', '-c', script], ({ linux, mounts = [] }) => {
        if (linux === undefined) return;
        linux.namespaces = (linux.namespaces ?? []).filter(({ type }) => type !== 'cgroup');
        for (const mount of mounts)
          if (mount.type === 'cgroup') mount.options = ['nosuid', 'noexec', 'nodev'];
      });
      const { stdout } = succeeded(await asUser(scene, ['run', scene.id()]));
      expect(stdout).to.equal('end\n');
    },
  );
});
