import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Resources } from '../lib/config/types.ts';
import { borrowControllers } from './harness/borrowed-controllers.ts';
import { cgroupOf, cgroupsNamed, controllerMount, membership, removeCgroups } from './harness/cgroups.ts';
import { cgroupFolder, needs } from './harness/cgroup-files.ts';
import { exitStatus } from './harness/processes.ts';
import { scenario } from './harness/scenario.ts';
import type { Edit, Scene } from './harness/scene.ts';

/** Creates a container with these resources and returns how to read the files of its cgroups. */
async function limited(
  scene: Scene,
  resources: Resources,
  edit?: Edit,
): Promise<{ id: string; pid: number; read: (controller: string, file: string) => string }> {
  const id = scene.id();
  scene.configure((config) => {
    config.process.args = ['sleep', '1000'];
    Object.assign(config.linux.resources, resources);
    edit?.(config);
  });
  const pid = await scene.create(id);
  const read = (controller: string, file: string): string =>
    readFileSync(join(cgroupFolder(pid, controller), file), 'utf8').trim();
  return { id, pid, read };
}

const MiB = 1024 * 1024;

/** The name of a loop device without a file behind it, whose scheduler is nobody's concern and may be bfq. */
function freeLoopDevice(): string | undefined {
  return readdirSync('/sys/block').find(
    (name) =>
      name.startsWith('loop') &&
      !existsSync(`/sys/block/${name}/loop`) &&
      readFileSync(`/sys/block/${name}/queue/scheduler`, 'utf8').includes('bfq'),
  );
}

describe('cgroup v1', () => {
  scenario(
    'the process is in a cgroup of its own in every hierarchy, gone after delete',
    async (scene) => {
      const { id, pid } = await limited(scene, {});
      const lines = membership(pid);
      for (const line of lines) expect(line).to.contain(id);
      expect(cgroupsNamed(id)).to.have.length.of.at.least(lines.length);
      await scene.delete(id, '--force');
      expect(cgroupsNamed(id)).to.deep.equal([]);
    },
    needs('memory'),
  );

  scenario(
    'an absolute cgroupsPath is taken from the root of the hierarchies',
    async (scene) => {
      const path = `/${scene.name}/deep/er`;
      const { id, pid } = await limited(scene, {}, (config) => (config.linux.cgroupsPath = path));
      expect(cgroupOf(pid, 'devices')).to.equal(path);
      expect(cgroupOf(pid, 'pids')).to.equal(path);
      await scene.delete(id);
      expect(cgroupsNamed(scene.name).some((folder) => folder.endsWith('/er'))).to.equal(false);
      removeCgroups(scene.name);
    },
    needs('devices'),
  );

  scenario(
    'the parents of a cgroupsPath stay after delete, for other containers may be in them',
    async (scene) => {
      const parent = `/${scene.name}/pod`;
      const first = await limited(scene, {}, (config) => (config.linux.cgroupsPath = `${parent}/first`));
      const second = await limited(scene, {}, (config) => (config.linux.cgroupsPath = `${parent}/second`));
      await scene.delete(first.id, '--force');
      expect(cgroupOf(second.pid, 'pids')).to.equal(`${parent}/second`);
      await scene.delete(second.id, '--force');
      const left = cgroupsNamed(scene.name).map((folder) => folder.slice(folder.indexOf(scene.name)));
      expect(new Set(left)).to.deep.equal(new Set([scene.name, `${scene.name}/pod`]));
      removeCgroups(scene.name);
    },
    needs('pids'),
  );

  scenario(
    'a relative cgroupsPath is taken from a place the runtime chooses',
    async (scene) => {
      const path = `${scene.name}/rel`;
      const { id, pid } = await limited(scene, {}, (config) => (config.linux.cgroupsPath = path));
      expect(cgroupOf(pid, 'pids')).to.match(new RegExp(`${path}$`));
      await scene.delete(id);
      removeCgroups(scene.name);
    },
    needs('pids'),
  );

  scenario('a cgroupsPath that climbs is refused', async (scene) => {
    for (const path of ['/../../etc', `/${scene.name}/../..`, '../..']) {
      const { stderr } = await scene.failure((config) => (config.linux.cgroupsPath = path));
      expect(stderr).to.match(/cgroupsPath/);
    }
  });

  scenario(
    'memory: limit, reservation and swappiness are set',
    async (scene) => {
      const memory = { limit: 64 * MiB, reservation: 32 * MiB, swappiness: 7 };
      const { read } = await limited(scene, { memory });
      expect(read('memory', 'memory.limit_in_bytes')).to.equal(String(64 * MiB));
      expect(read('memory', 'memory.soft_limit_in_bytes')).to.equal(String(32 * MiB));
      expect(read('memory', 'memory.swappiness')).to.equal('7');
    },
    needs('memory', 'memory.limit_in_bytes'),
  );

  scenario(
    'memory: swap, which counts both',
    async (scene) => {
      const { read } = await limited(scene, { memory: { limit: 64 * MiB, swap: 128 * MiB } });
      expect(read('memory', 'memory.memsw.limit_in_bytes')).to.equal(String(128 * MiB));
    },
    needs('memory', 'memory.memsw.limit_in_bytes'),
  );

  scenario(
    'memory: the largest limit, and -1 for none',
    async (scene) => {
      const id = scene.id();
      const config = scene.configure((change) => (change.process.args = ['sleep', '1000']));
      config.linux.resources.memory = { limit: 4711 };
      scene.writeConfig(JSON.stringify(config).replace('4711', '9223372036854771712'));
      const pid = await scene.create(id);
      const folder = cgroupFolder(pid, 'memory');
      expect(readFileSync(join(folder, 'memory.limit_in_bytes'), 'utf8').trim()).to.equal(
        '9223372036854771712',
      );
      const unlimited = await limited(scene, { memory: { limit: -1 } });
      expect(unlimited.read('memory', 'memory.limit_in_bytes')).to.equal('9223372036854771712');
    },
    needs('memory', 'memory.limit_in_bytes'),
  );

  scenario(
    'memory: disableOOMKiller is set',
    async (scene) => {
      const { read } = await limited(scene, { memory: { limit: 64 * MiB, disableOOMKiller: true } });
      expect(read('memory', 'memory.oom_control')).to.match(/oom_kill_disable 1/);
    },
    needs('memory', 'memory.oom_control'),
  );

  scenario(
    'memory: a process beyond the limit is killed',
    async (scene) => {
      const { id, pid } = await limited(scene, { memory: { limit: 8 * MiB } }, (config) => {
        config.process.args = ['sh', '-c', 'x=a; while :; do x=$x$x; done'];
      });
      await scene.start(id);
      expect(await exitStatus(pid)).to.equal(137);
    },
    needs('memory', 'memory.limit_in_bytes'),
  );

  scenario(
    'memory: a limit of 512 KiB is enough to start',
    async (scene) => {
      const { pid } = await limited(scene, { memory: { limit: 512 * 1024 } });
      expect(existsSync(`/proc/${pid}`)).to.equal(true);
    },
    needs('memory', 'memory.limit_in_bytes'),
  );

  scenario(
    'cpu: shares, quota and period are set',
    async (scene) => {
      const { read } = await limited(scene, { cpu: { shares: 333, quota: 20_000, period: 50_000 } });
      expect(read('cpu', 'cpu.shares')).to.equal('333');
      expect(read('cpu', 'cpu.cfs_quota_us')).to.equal('20000');
      expect(read('cpu', 'cpu.cfs_period_us')).to.equal('50000');
    },
    needs('cpu', 'cpu.cfs_quota_us'),
  );

  for (const shares of [2, 262_144]) {
    scenario(
      `cpu: ${shares} shares, which is as far as they go`,
      async (scene) => {
        const { read } = await limited(scene, { cpu: { shares } });
        expect(read('cpu', 'cpu.shares')).to.equal(String(shares));
      },
      needs('cpu'),
    );
  }

  scenario(
    'cpu: burst is set',
    async (scene) => {
      const { read } = await limited(scene, { cpu: { quota: 20_000, period: 50_000, burst: 10_000 } });
      expect(read('cpu', 'cpu.cfs_burst_us')).to.equal('10000');
    },
    needs('cpu', 'cpu.cfs_burst_us'),
  );

  scenario(
    'cpu: idle is set',
    async (scene) => {
      const { read } = await limited(scene, { cpu: { idle: 1 } });
      expect(read('cpu', 'cpu.idle')).to.equal('1');
    },
    needs('cpu', 'cpu.idle'),
  );

  scenario(
    'cpuset: cpus and mems are set',
    async (scene) => {
      const { pid, read } = await limited(scene, { cpu: { cpus: '0', mems: '0' } });
      expect(read('cpuset', 'cpuset.cpus')).to.equal('0');
      expect(read('cpuset', 'cpuset.mems')).to.equal('0');
      expect(readFileSync(`/proc/${pid}/status`, 'utf8')).to.match(/^Cpus_allowed_list:\s+0$/m);
    },
    needs('cpuset'),
  );

  scenario(
    'cpuset: without cpus and mems those of the parent are used',
    async (scene) => {
      const { read } = await limited(scene, {});
      expect(read('cpuset', 'cpuset.cpus')).not.to.equal('');
      expect(read('cpuset', 'cpuset.mems')).not.to.equal('');
    },
    needs('cpuset'),
  );

  scenario(
    'cpuset: a CPU that is not there is an error naming it',
    async (scene) => {
      const { stderr } = await scene.failure((config) => (config.linux.resources.cpu = { cpus: '4000' }));
      expect(stderr).to.match(/cpus/).and.match(/4000/);
    },
    needs('cpuset'),
  );

  scenario(
    'pids: limit, and the fork that is one too many',
    async (scene) => {
      const { id, pid, read } = await limited(scene, { pids: { limit: 2 } }, (config) => {
        config.process.args = ['sh', '-c', '(sleep 1 & sleep 1 & sleep 1 & wait) 2>/dev/null; exit 5'];
      });
      expect(read('pids', 'pids.max')).to.equal('2');
      await scene.start(id);
      expect(await exitStatus(pid)).not.to.equal(0);
    },
    needs('pids'),
  );

  scenario(
    'pids: 0 is no process but the first one, also on its way there',
    async (scene) => {
      const { id, pid, read } = await limited(scene, { pids: { limit: 0 } }, (config) => {
        config.process.args = ['sh', '-c', 'sleep 0 2>/dev/null && exit 9; exit 5'];
      });
      expect(read('pids', 'pids.max')).to.equal('1');
      await scene.start(id);
      expect(await exitStatus(pid)).to.be.oneOf([2, 5]);
    },
    needs('pids'),
  );

  scenario(
    'pids: -1 sets no limit',
    async (scene) => {
      const { read } = await limited(scene, { pids: { limit: -1 } });
      expect(read('pids', 'pids.max')).to.equal('max');
    },
    needs('pids'),
  );

  scenario(
    'blkio: weight is set',
    async (scene) => {
      const { read } = await limited(scene, { blockIO: { weight: 333 } });
      expect(read('blkio', 'blkio.bfq.weight')).to.match(/333/);
    },
    needs('blkio', 'blkio.bfq.weight'),
  );

  scenario(
    'blkio: the weight of a device is set',
    async (scene) => {
      const device = freeLoopDevice() ?? '';
      const scheduler = `/sys/block/${device}/queue/scheduler`;
      const before = /\[(\S+)\]/.exec(readFileSync(scheduler, 'utf8'))?.[1] ?? 'none';
      const [major, minor] = readFileSync(`/sys/block/${device}/dev`, 'utf8').split(':').map(Number);
      writeFileSync(scheduler, 'bfq');
      try {
        const weightDevice = [{ major: major ?? -1, minor: minor ?? -1, weight: 444 }];
        const { read } = await limited(scene, { blockIO: { weight: 333, weightDevice } });
        expect(read('blkio', 'blkio.bfq.weight_device').split('\n')).to.have.members([
          'default 333',
          `${major}:${minor} 444`,
        ]);
      } finally {
        writeFileSync(scheduler, before);
      }
    },
    () =>
      needs('blkio', 'blkio.bfq.weight_device')() ??
      (freeLoopDevice() === undefined ? 'no free loop device for the bfq scheduler' : undefined),
  );

  scenario(
    'blkio: a device is throttled',
    async (scene) => {
      const { dev } = statSync('/var/tmp');
      const [major, minor] = [(dev >> 8) & 0xfff, dev & 0xff];
      const { read } = await limited(scene, {
        blockIO: {
          throttleReadBpsDevice: [{ major, minor, rate: 1_048_576 }],
          throttleWriteBpsDevice: [{ major, minor, rate: 2_097_152 }],
          throttleReadIOPSDevice: [{ major, minor, rate: 111 }],
          throttleWriteIOPSDevice: [{ major, minor, rate: 222 }],
        },
      });
      expect(read('blkio', 'blkio.throttle.read_bps_device')).to.equal(`${major}:${minor} 1048576`);
      expect(read('blkio', 'blkio.throttle.write_bps_device')).to.equal(`${major}:${minor} 2097152`);
      expect(read('blkio', 'blkio.throttle.read_iops_device')).to.equal(`${major}:${minor} 111`);
      expect(read('blkio', 'blkio.throttle.write_iops_device')).to.equal(`${major}:${minor} 222`);
    },
    needs('blkio', 'blkio.throttle.read_bps_device'),
  );

  scenario(
    'devices: what the config denies and allows, behind the usual ones',
    async (scene) => {
      const { read } = await limited(scene, {
        devices: [
          { allow: false, access: 'rwm' },
          { allow: true, type: 'c', major: 10, minor: 229, access: 'rw' },
          { allow: true, type: 'b', major: 7, access: 'rm' },
        ],
      });
      const list = read('devices', 'devices.list').split('\n');
      expect(list).to.include.members(['c 10:229 rw', 'b 7:* rm', 'c 1:3 rwm', 'c 5:2 rwm', 'c 136:* rwm']);
      expect(list).not.to.include('a *:* rwm');
    },
    needs('devices'),
  );

  describe('controllers the tests mount where nobody uses them', () => {
    let giveBack = (): Promise<void> => Promise.resolve();
    before(() => {
      giveBack = borrowControllers(['hugetlb', 'net_cls', 'net_prio']);
    });
    after(() => giveBack());

    scenario(
      'hugetlb: a limit is set',
      async (scene) => {
        const { read } = await limited(scene, { hugepageLimits: [{ pageSize: '2MB', limit: 4 * MiB }] });
        expect(read('hugetlb', 'hugetlb.2MB.limit_in_bytes')).to.equal(String(4 * MiB));
      },
      needs('hugetlb', 'hugetlb.2MB.limit_in_bytes'),
    );

    scenario(
      'hugetlb: a size this machine has not is named',
      async (scene) => {
        const { stderr } = await scene.failure((config) => {
          config.linux.resources.hugepageLimits = [{ pageSize: '1TB', limit: 4 * MiB }];
        });
        expect(stderr).to.match(/hugepageLimits\/0\/limit.*hugetlb\.1TB\.limit_in_bytes.*ENOENT/);
      },
      needs('hugetlb'),
    );

    scenario(
      'net_cls: classID is set',
      async (scene) => {
        const { read } = await limited(scene, { network: { classID: 0x100001 } });
        expect(read('net_cls', 'net_cls.classid')).to.equal(String(0x100001));
      },
      needs('net_cls'),
    );

    scenario(
      'net_prio: priorities are set',
      async (scene) => {
        const { read } = await limited(scene, { network: { priorities: [{ name: 'lo', priority: 3 }] } });
        expect(read('net_prio', 'net_prio.ifpriomap')).to.match(/^lo 3$/m);
      },
      needs('net_prio'),
    );
  });

  scenario(
    'devices: the letter a beside others means nothing',
    async (scene) => {
      const { read } = await limited(scene, {
        devices: [{ allow: true, type: 'c', major: 10, minor: 229, access: 'rwa' }],
      });
      expect(read('devices', 'devices.list').split('\n')).to.include('c 10:229 rw');
    },
    needs('devices'),
  );

  scenario(
    'memory: a swappiness nobody asked for, as engines write it',
    async (scene) => {
      const id = scene.id();
      const config = scene.configure((made) => (made.linux.resources.memory = { swappiness: 7 }));
      const before = JSON.stringify(config);
      // As JSON only text can hold it: a number of JavaScript has 53 bits.
      scene.writeConfig(before.replace('"swappiness":7', '"swappiness":18446744073709551615'));
      const pid = await scene.create(id);
      const file = 'memory.swappiness';
      const parents = readFileSync(join(cgroupFolder(pid, 'memory'), '..', file), 'utf8');
      expect(readFileSync(join(cgroupFolder(pid, 'memory'), file), 'utf8')).to.equal(parents);
    },
    needs('memory', 'memory.swappiness'),
  );

  scenario(
    'rdma: limits are set',
    async (scene) => {
      await limited(scene, { rdma: { mlx5_1: { hcaHandles: 3, hcaObjects: 40 } } });
    },
    needs('rdma'),
  );

  scenario(
    'a limit of a controller this machine has not names the property',
    async (scene) => {
      const { stderr } = await scene.failure((config) => {
        config.linux.resources.hugepageLimits = [{ pageSize: '2MB', limit: MiB }];
      });
      expect(stderr).to.match(/hugepageLimits/);
    },
    () => {
      if (controllerMount('memory') === undefined) return 'no cgroup v1 controller memory here';
      return controllerMount('hugetlb') === undefined ? undefined : 'this machine has hugetlb';
    },
  );

  scenario(
    'a limit the kernel refuses names the property and the value',
    async (scene) => {
      const { stderr } = await scene.failure(
        (config) => (config.linux.resources.cpu = { quota: 10, period: 100_000 }),
      );
      expect(stderr)
        .to.match(/quota/)
        .and.match(/invalid argument/i);
    },
    needs('cpu', 'cpu.cfs_quota_us'),
  );

  scenario(
    'freezer: state says paused while the container is frozen',
    async (scene) => {
      const { id, pid } = await limited(scene, {});
      await scene.start(id);
      const state = join(cgroupFolder(pid, 'freezer'), 'freezer.state');
      writeFileSync(state, 'FROZEN');
      expect(await scene.state(id)).to.include({ status: 'paused' });
      // A frozen container can still be removed by force.
      await scene.delete(id, '--force');
      expect(existsSync(state)).to.equal(false);
    },
    needs('freezer'),
  );

  scenario(
    'delete removes cgroups the container has made below its own',
    async (scene) => {
      const { id, pid } = await limited(scene, {});
      for (const controller of ['pids', 'freezer']) {
        mkdirSync(join(cgroupFolder(pid, controller), 'below', 'deeper'), { recursive: true });
      }
      await scene.delete(id, '--force');
      expect(cgroupsNamed(id)).to.deep.equal([]);
    },
    needs('pids'),
  );

  scenario(
    'every process of the container ends with it, also without a pid namespace',
    async (scene) => {
      const id = scene.id();
      scene.configure((config) => {
        config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== 'pid');
        config.process.args = ['sh', '-c', 'sleep 1000 & sleep 1000 & wait'];
      });
      await scene.create(id);
      await scene.start(id);
      await scene.delete(id, '--force');
    },
    needs('freezer'),
  );

  scenario(
    'a cgroup mount in the container shows its own part, read-only',
    async (scene) => {
      const output = await scene.shell(
        'ls /sys/fs/cgroup; mkdir /sys/fs/cgroup/pids/new 2>&1; cat /sys/fs/cgroup/pids/pids.max',
        (config) => {
          config.linux.resources.pids = { limit: 77 };
          config.mounts.push({
            destination: '/sys/fs/cgroup',
            type: 'cgroup',
            source: 'cgroup',
            options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'],
          });
        },
      );
      expect(output)
        .to.match(/^pids$/m)
        .and.match(/Read-only file system/)
        .and.match(/^77$/m);
    },
    needs('pids'),
  );

  scenario('--cgroup-manager disabled leaves the process where it was', async (scene) => {
    const id = scene.id();
    scene.configure((config) => {
      config.process.args = ['sleep', '1000'];
      config.linux.resources = {};
    });
    scene.owns(id);
    const { status } = await scene.tsrun([
      '--cgroup-manager',
      'disabled',
      'create',
      '--bundle',
      scene.bundle,
      '--pid-file',
      scene.path('pid'),
      id,
    ]);
    expect(status).to.equal(0);
    const pid = Number(readFileSync(scene.path('pid'), 'utf8'));
    expect(cgroupOf(pid, 'pids')).to.equal(cgroupOf('self', 'pids'));
    await scene.start(id);
    await scene.delete(id, '--force');
  });
});
