import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { needs } from './harness/cgroup-files.ts';
import { hierarchies, unifiedMount } from './harness/cgroups.ts';
import { tsrun } from './harness/programs.ts';
import { run } from './harness/run.ts';
import { scenario } from './harness/scenario.ts';
import { type Edit, type Scene, succeeded } from './harness/scene.ts';

const isWholeV2 = hierarchies().length === 1 && unifiedMount() === '/sys/fs/cgroup';

/**
 * The command that makes the host one with cgroup v2 alone, for the commands after it. A mount of its own would take
 * options of the whole host away (nsdelegate).
 */
function onlyV2(scene: Scene): string {
  const unified = unifiedMount();
  if (unified === undefined || isWholeV2) return 'true';
  const folder = scene.path('unified');
  mkdirSync(folder);
  return `mount --bind ${unified} ${folder} && umount -R /sys/fs/cgroup && mount --move ${folder} /sys/fs/cgroup`;
}

const hostId = 100_000;

/** A container with its cgroup writable in it, a cgroup namespace and a user namespace; runs a script. */
function prepare(scene: Scene, script: string, edit?: Edit): void {
  scene.configure((config) => {
    config.process.args = ['sh', '-c', script];
    config.linux.namespaces.push({ type: 'user' }, { type: 'cgroup' });
    config.linux.uidMappings = [{ containerID: 0, hostID: hostId, size: 65_536 }];
    config.linux.gidMappings = [{ containerID: 0, hostID: hostId, size: 65_536 }];
    config.mounts.push({
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: ['nosuid', 'noexec', 'nodev', 'relatime', 'rw'],
    });
    edit?.(config);
  });
}

/**
 * Who makes cgroups on v2 gives them its controllers, beside v1 those that it has left. What the host had not given
 * away is taken back then, so that v1 can have it again.
 */
async function withControllersKept<T>(body: () => Promise<T>): Promise<T> {
  if (isWholeV2) return await body();
  const file = join(unifiedMount() ?? '/sys/fs/cgroup', 'cgroup.subtree_control');
  const given = (): string[] => readFileSync(file, 'utf8').trim().split(' ');
  const before = new Set(given());
  try {
    return await body();
  } finally {
    for (const name of given()) if (!before.has(name)) writeFileSync(file, `-${name}`);
  }
}

async function output(scene: Scene, host: string, runtime: 'tsrun' | 'crun' = 'tsrun'): Promise<string> {
  const [program, root] = runtime === 'crun' ? ['crun', scene.path('crun-state')] : [tsrun, scene.root];
  const script = `${host}; exec ${program} --root ${root} run --bundle ${scene.bundle} ${scene.id()}`;
  const result = await withControllersKept(() =>
    run('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script]),
  );
  return succeeded(result).stdout;
}

/** Prints `uid name` of the container's cgroup and of each file in it. */
const owners = 'cd /sys/fs/cgroup; stat -c "%u %n" . *';

/** The names that belong to `uid`. */
function ownedBy(uid: number, listing: string): string[] {
  const lines = listing.trim().split('\n');
  return lines.filter((line) => line.startsWith(`${uid} `)).map((line) => line.slice(`${uid} `.length));
}

/** Nobody: an id that the user namespace does not map, as root of the host is. */
const overflowId = 65_534;

/** What may be given away: the directory, and these of its files, as far as they exist. */
function delegated(listing: string): string[] {
  const path = '/sys/kernel/cgroup/delegate';
  const files = existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
  return ['.', ...files].filter((name) => listing.includes(` ${name}\n`)).sort();
}

describe('who owns the cgroup of a container', () => {
  for (const runtime of ['tsrun', 'crun'] as const) {
    scenario(`${runtime}: its root owns the cgroup and the files that may be delegated`, async (scene) => {
      prepare(scene, owners, (config) => {
        if (runtime === 'tsrun') return;
        config.ociVersion = '1.0.2';
        // Device rules want power over locked memory, which it may not have here.
        config.linux.resources = {};
      });
      const listing = await output(scene, onlyV2(scene), runtime);
      expect(ownedBy(0, listing).sort()).to.deep.equal(delegated(listing));
      expect(ownedBy(0, listing)).to.include.members(['.', 'cgroup.procs', 'cgroup.subtree_control']);
      expect(ownedBy(overflowId, listing)).to.include.members(['cgroup.freeze', 'cgroup.max.depth']);
    });
  }

  scenario('root of a user namespace manages cgroups below its own, but not its limits', async (scene) => {
    const script =
      'cd /sys/fs/cgroup; mkdir sub && echo 1 >sub/cgroup.procs && tail -n1 /proc/self/cgroup;' +
      '(echo 5 >cgroup.max.depth) 2>&1; rmdir /sys/fs/cgroup/other 2>/dev/null; true';
    prepare(scene, script);
    const printed = await output(scene, onlyV2(scene));
    expect(printed).to.match(/^0::\/sub$/m);
    expect(printed).to.match(/cgroup\.max\.depth.*denied/);
  });

  scenario(
    'the user of the process owns the cgroup where that is not root, as the specification says',
    async (scene) => {
      prepare(scene, owners, (config) => (config.process.user = { uid: 1000, gid: 1000 }));
      const listing = await output(scene, onlyV2(scene));
      expect(ownedBy(1000, listing).sort()).to.deep.equal(delegated(listing));
      expect(ownedBy(0, listing)).to.deep.equal([]);
    },
  );

  for (const [title, edit] of [
    [
      'is mounted read-only',
      (config) => {
        for (const mount of config.mounts) if (mount.type === 'cgroup') mount.options = ['ro'];
      },
    ],
    [
      'has no namespace of its own',
      (config) => {
        config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== 'cgroup');
      },
    ],
    [
      'is mounted elsewhere',
      (config) => {
        for (const mount of config.mounts)
          if (mount.type === 'cgroup') mount.destination = '/sys/fs/cgroup/x';
        const tmpfs = { destination: '/sys/fs/cgroup', type: 'tmpfs', source: 'tmpfs' };
        config.mounts.splice(-1, 0, tmpfs);
        config.process.args = ['sh', '-c', owners.replace('/sys/fs/cgroup', '/sys/fs/cgroup/x')];
      },
    ],
  ] as const satisfies [string, Edit][]) {
    scenario(`the host keeps a cgroup that ${title}`, async (scene) => {
      prepare(scene, owners, edit);
      const listing = await output(scene, onlyV2(scene));
      expect(listing).to.contain(' cgroup.procs\n');
      expect(ownedBy(0, listing)).to.deep.equal([]);
    });
  }

  scenario(
    'the host keeps cgroups of v1, which cannot be delegated safely',
    async (scene) => {
      prepare(scene, 'stat -c "%u %n" /sys/fs/cgroup/*/.; true');
      const listing = await output(scene, 'true');
      expect(ownedBy(overflowId, listing)).to.include('/sys/fs/cgroup/pids/.');
      expect(ownedBy(0, listing)).to.deep.equal([]);
    },
    needs('pids'),
  );
});
