import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { expect } from 'chai';
import { controllerMount } from './harness/cgroups.ts';
import { shareNamespace } from './harness/config.ts';
import { descendants, isAlive } from './harness/processes.ts';
import { tsrun } from './harness/programs.ts';
import { type Result, run } from './harness/run.ts';
import { scenario } from './harness/scenario.ts';
import { type Edit, failed, type Scene, succeeded } from './harness/scene.ts';
import { until } from './harness/until.ts';

const unmounted = 'umount -R /sys/fs/cgroup';
const readOnly =
  'for m in $(grep -o "/sys/fs/cgroup[^ ]*" /proc/self/mounts); do mount -o remount,bind,ro $m; done';

/** Root of the host, a root that may not administer it, and a user of no importance. */
const callers = {
  root: '',
  // With CAP_BPF it could set device rules on cgroup v2.
  'root without CAP_SYS_ADMIN': 'setpriv --bounding-set=-sys_admin,-bpf ',
  user: 'setpriv --reuid=54321 --regid=54321 --clear-groups --inh-caps=-all --bounding-set=-all ',
} as const;
type Caller = keyof typeof callers;

/** Runs a container where cgroups are as `change` leaves them; what is changed is this command's own. */
async function runWhere(
  scene: Scene,
  change: string,
  options: { caller?: Caller; flags?: string; runtime?: string } = {},
): Promise<Result> {
  const { caller = 'root', flags = '', runtime = `${tsrun} --root ${scene.root}` } = options;
  const command = `${runtime} ${flags} run --bundle ${scene.bundle} ${scene.id()}`;
  const script = `${change}; exec ${callers[caller]}${command}`;
  return await run('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script]);
}

/** A container that anybody may run, and that asks for nothing of cgroups but what `edit` adds. */
function prepare(scene: Scene, edit?: Edit): void {
  scene.configure((config) => {
    config.process.args = ['echo', 'it ran'];
    config.linux.namespaces.push({ type: 'user' });
    config.linux.uidMappings = [{ containerID: 0, hostID: 0, size: 1 }];
    config.linux.gidMappings = [{ containerID: 0, hostID: 0, size: 1 }];
    config.mounts = config.mounts.filter(({ type }) => type === 'proc');
    config.linux.resources = {};
    edit?.(config);
  });
}

/** The same for an unprivileged user, who owns the files. */
function prepareForUser(scene: Scene, edit?: Edit): void {
  prepare(scene, (config) => {
    config.linux.uidMappings = [{ containerID: 0, hostID: 54_321, size: 1 }];
    config.linux.gidMappings = [{ containerID: 0, hostID: 54_321, size: 1 }];
    edit?.(config);
  });
  execFileSync('chown', ['-hR', '54321:54321', scene.folder]);
}

function stateFolders({ root }: Scene): string[] {
  return existsSync(root) ? readdirSync(root) : [];
}

const denyAll: Edit = (config) => (config.linux.resources.devices = [{ allow: false, access: 'rwm' }]);

describe('where cgroups cannot be had', () => {
  for (const caller of ['root', 'root without CAP_SYS_ADMIN'] as const) {
    for (const [title, change, reason] of [
      ['are not mounted', unmounted, /no cgroups are mounted/],
      ['are read-only', readOnly, /read-only file system/],
    ] as const) {
      scenario(`${caller}: device rules are refused where they ${title}`, async (scene) => {
        prepare(scene, denyAll);
        const { stderr } = failed(await runWhere(scene, change, { caller }));
        expect(stderr)
          .to.match(reason)
          .and.match(/--cgroup-manager disabled/);
        expect(stateFolders(scene)).to.deep.equal([]);
      });

      scenario(
        `${caller}: so is every config where they ${title}, since it has default rules`,
        async (scene) => {
          prepare(scene);
          expect(failed(await runWhere(scene, change, { caller })).stderr).to.match(reason);
        },
      );

      scenario(`${caller}: runc refuses where they ${title}, too`, async (scene) => {
        prepare(scene, denyAll);
        failed(await runWhere(scene, change, { caller, runtime: `runc --root ${scene.runcRoot}` }));
      });

      scenario(`${caller}: --cgroup-manager disabled does without where they ${title}`, async (scene) => {
        prepare(scene, denyAll);
        const flags = '--cgroup-manager disabled';
        expect(succeeded(await runWhere(scene, change, { caller, flags })).stdout).to.equal('it ran\n');
      });
    }
  }

  scenario('root without CAP_SYS_ADMIN: device rules that it may not set are refused', async (scene) => {
    prepare(scene, denyAll);
    const { stderr } = failed(await runWhere(scene, 'true', { caller: 'root without CAP_SYS_ADMIN' }));
    expect(stderr).to.match(/\/linux\/resources\/devices.*not permitted/);
  });

  for (const [title, change] of [
    ['are not mounted', unmounted],
    ['are read-only', readOnly],
  ] as const) {
    scenario(`a user: a container runs without where they ${title}, as with runc`, async (scene) => {
      prepareForUser(scene, denyAll);
      const { stdout, stderr } = succeeded(await runWhere(scene, change, { caller: 'user' }));
      expect([stdout, stderr]).to.deep.equal(['it ran\n', '']);
      const said = succeeded(await runWhere(scene, change, { caller: 'user', flags: '--debug' })).stderr;
      expect(said).to.match(/\/linux\/resources\/devices: ignored: /);
    });

    scenario(`a user: a cgroupsPath is refused where they ${title}`, async (scene) => {
      prepareForUser(scene, (config) => (config.linux.cgroupsPath = `/${scene.name}-path`));
      const { stderr } = failed(await runWhere(scene, change, { caller: 'user' }));
      expect(stderr).to.match(/\/linux\/cgroupsPath/);
    });

    for (const [name, resources] of [
      ['memory', { memory: { limit: 64 << 20 } }],
      ['pids', { pids: { limit: 5 } }],
      ['hugepageLimits', { hugepageLimits: [{ pageSize: '2MB', limit: 1 << 21 }] }],
      // Where there is but v2 it is ignored, with a warning, whoever runs tsrun.
      ...(controllerMount('pids') === undefined ? [] : [['network', { network: { classID: 1 } }] as const]),
      ['rdma', { rdma: { mlx5_1: { hcaHandles: 3 } } }],
    ] as const) {
      scenario(`a user: a limit of ${name} is refused where they ${title}`, async (scene) => {
        prepareForUser(scene, (config) => Object.assign(config.linux.resources, resources));
        const { stderr } = failed(await runWhere(scene, change, { caller: 'user' }));
        expect(stderr).to.contain(`/linux/resources/${name}`);
        expect(stateFolders(scene)).to.deep.equal([]);
      });
    }
  }
});

describe('delete and kill where the cgroups of a container are not mounted', () => {
  const memory = controllerMount('memory');
  for (const [title, change] of [
    ['none is', unmounted],
    ...(memory === undefined ? [] : [['one is not', `umount ${memory}`] as const]),
  ] as const) {
    scenario(`fail and leave it alone where ${title}`, async (scene) => {
      const id = scene.id();
      scene.configure((config) => {
        // Without a pid namespace, what is left of a container is known by its cgroups alone.
        config.process.args = ['sh', '-c', 'sleep 1000 & exec sleep 1000'];
        shareNamespace(config, 'pid');
      });
      const pid = await scene.create(id);
      await scene.start(id);
      await until('a child', () => descendants(pid).length === 1);
      const [{ pid: child } = { pid: 0 }] = descendants(pid);
      process.kill(pid, 'SIGKILL');
      await scene.untilStatus(id, 'stopped');
      for (const command of ['delete', 'delete --force', 'kill --all']) {
        const script = `${change}; exec ${tsrun} --root ${scene.root} ${command} ${id}`;
        const result = await run('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script]);
        expect(failed(result).stderr).to.match(/is not mounted there/);
        expect(isAlive(child)).to.equal(true);
      }
      succeeded(await scene.tsrun(['delete', id]));
      await until('the end of the child', () => !isAlive(child));
    });
  }
});
