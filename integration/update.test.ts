import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { cgroupFile, cgroupFolder, needs } from './harness/cgroup-files.ts';
import { started } from './harness/inside.ts';
import { exitStatus } from './harness/processes.ts';
import { scenario } from './harness/scenario.ts';
import { failed, type Scene, succeeded } from './harness/scene.ts';

const MiB = 1024 * 1024;

/** `tsrun update` by the JSON an engine sends. */
async function send(scene: Scene, id: string, resources: unknown): Promise<void> {
  succeeded(await scene.tsrun(['update', '--resources=-', id], { input: JSON.stringify(resources) }));
}

/** What each flag writes, and where. */
const flags: [flags: string[], file: string, says: RegExp | string][] = [
  [['--cpu-share', '333'], 'cpu.shares', '333'],
  [['--cpu-period', '50000'], 'cpu.cfs_period_us', '50000'],
  [['--cpu-quota', '20000'], 'cpu.cfs_quota_us', '20000'],
  [['--cpu-quota', '20000', '--cpu-burst', '10000'], 'cpu.cfs_burst_us', '10000'],
  [['--cpu-idle', '1'], 'cpu.idle', '1'],
  [['--cpuset-cpus', '0'], 'cpuset.cpus', '0'],
  [['--cpuset-mems', '0'], 'cpuset.mems', '0'],
  [['--memory', '64m'], 'memory.limit_in_bytes', String(64 * MiB)],
  [['--memory', '64m', '--memory-swap', '1.5g'], 'memory.memsw.limit_in_bytes', String(1536 * MiB)],
  [['--memory-reservation=32M'], 'memory.soft_limit_in_bytes', String(32 * MiB)],
  [['--kernel-memory-tcp', '8m'], 'memory.kmem.tcp.limit_in_bytes', String(8 * MiB)],
  [['--pids-limit', '17'], 'pids.max', '17'],
  [['--pids-limit', '-1'], 'pids.max', 'max'],
  // As runc: systemd cannot set 0, and the first process is there already.
  [['--pids-limit', '0'], 'pids.max', '1'],
  [['--blkio-weight', '333'], 'blkio.bfq.weight', /333/],
];

describe('update', () => {
  for (const [given, file, says] of flags) {
    scenario(
      given.join(' '),
      async (scene) => {
        const { id, pid } = await started(scene);
        succeeded(await scene.tsrun(['update', ...given, id]));
        expect(cgroupFile(pid, file)).to.match(says instanceof RegExp ? says : new RegExp(`^${says}$`));
      },
      needs(file.split('.')[0] ?? '', file),
    );
  }

  scenario(
    'memory and swap grow and shrink, in whatever order',
    async (scene) => {
      const { id, pid } = await started(scene, (config) => {
        config.linux.resources.memory = { limit: 64 * MiB, swap: 64 * MiB };
      });
      const limits = (): string[] =>
        ['memory.limit_in_bytes', 'memory.memsw.limit_in_bytes'].map((file) => cgroupFile(pid, file));
      for (const [memory, swap] of [
        [256, 256],
        [32, 48],
        [48, 512],
        [512, 512],
        [16, 16],
      ] as const) {
        succeeded(await scene.tsrun(['update', '--memory', `${memory}m`, '--memory-swap', `${swap}m`, id]));
        expect(limits()).to.deep.equal([String(memory * MiB), String(swap * MiB)]);
      }
      const { stderr } = failed(await scene.tsrun(['update', '--memory', '64m', id]));
      expect(stderr).to.match(/--memory.*memory and swap together is 16777216/);
      succeeded(await scene.tsrun(['update', '--memory=-1', id]));
      expect(limits()).to.deep.equal(['9223372036854771712', '9223372036854771712']);
    },
    needs('memory', 'memory.memsw.limit_in_bytes'),
  );

  scenario(
    'update leaves limits unchanged that are 0 or absent',
    async (scene) => {
      const { id, pid } = await started(scene, (config) => {
        Object.assign(config.linux.resources, {
          cpu: { shares: 333, quota: 20_000, period: 50_000, cpus: '0' },
          memory: { limit: 64 * MiB, reservation: 32 * MiB },
          pids: { limit: 50 },
        });
      });
      await send(scene, id, {
        blockIO: { weight: 0 },
        cpu: { shares: 0, quota: 0, period: 0, realtimeRuntime: 0, realtimePeriod: 0, cpus: '', mems: '' },
        memory: { limit: 0, reservation: 0, swap: 0, kernel: 0, kernelTCP: 0, checkBeforeUpdate: false },
        devices: [],
        unified: {},
      });
      const values = ['cpu.shares', 'cpu.cfs_quota_us', 'cpu.cfs_period_us', 'cpuset.cpus'];
      expect(values.map((file) => cgroupFile(pid, file))).to.deep.equal(['333', '20000', '50000', '0']);
      expect(cgroupFile(pid, 'memory.limit_in_bytes')).to.equal(String(64 * MiB));
      expect(cgroupFile(pid, 'memory.soft_limit_in_bytes')).to.equal(String(32 * MiB));
      expect(cgroupFile(pid, 'pids.max')).to.equal('50');
      await send(scene, id, {});
      await send(scene, id, null);
    },
    needs('memory', 'memory.limit_in_bytes'),
  );

  scenario(
    'flags of update override a file of resources',
    async (scene) => {
      const { id, pid } = await started(scene);
      const file = scene.path('resources.json');
      writeFileSync(file, JSON.stringify({ cpu: { shares: 200, quota: 30_000 }, pids: { limit: 44 } }));
      succeeded(await scene.tsrun(['update', '-r', file, '--cpu-share', '300', id]));
      expect(cgroupFile(pid, 'cpu.shares')).to.equal('300');
      expect(cgroupFile(pid, 'cpu.cfs_quota_us')).to.equal('30000');
      expect(cgroupFile(pid, 'pids.max')).to.equal('44');
    },
    needs('cpu', 'cpu.cfs_quota_us'),
  );

  scenario(
    'an update that fails changes nothing',
    async (scene) => {
      const { id, pid } = await started(scene, (config) => {
        config.linux.resources.memory = { limit: 64 * MiB, swap: 64 * MiB };
      });
      const files = ['cpuset.cpus', 'cpu.shares', 'memory.limit_in_bytes', 'memory.memsw.limit_in_bytes'];
      const values = (): string[] => [...files, 'pids.max'].map((file) => cgroupFile(pid, file));
      const before = values();
      const resources = {
        cpu: { cpus: '0', shares: 77 },
        memory: { limit: 256 * MiB, swap: 512 * MiB },
        pids: { limit: 9 },
        blockIO: { throttleReadBpsDevice: [{ major: 4000, minor: 1, rate: 5 }] },
      };
      const { stderr } = failed(
        await scene.tsrun(['update', '-r', '-', id], { input: JSON.stringify(resources) }),
      );
      expect(stderr)
        .to.contain('stdin:1:')
        .and.match(/blockIO\/throttleReadBpsDevice\/0/)
        .and.contain('4000:1');
      expect(values()).to.deep.equal(before);
    },
    needs('blkio', 'blkio.throttle.read_bps_device'),
  );

  scenario(
    'devices are allowed and taken back; those somebody else allowed stay',
    async (scene) => {
      const fuse = { allow: true, type: 'c', major: 10, minor: 229, access: 'rwm' };
      const nothing = { allow: false, access: 'rwm' };
      const { id, pid, shell } = await started(scene, (config) => {
        config.linux.devices = [{ type: 'c', path: '/dev/k', major: 240, minor: 11, fileMode: 0o666 }];
      });
      const list = (): string[] => cgroupFile(pid, 'devices.list').split('\n');
      const device = { allow: true, type: 'c', major: 240, minor: 11, access: 'r' };
      // No driver has the number, so what is allowed fails otherwise.
      const open = '(: < /dev/k) 2>&1; true';
      expect(await shell(open)).to.contain('not permitted');
      await send(scene, id, { devices: [nothing, device] });
      expect(await shell(open)).to.contain('No such device');
      // As a hook of a vendor does it.
      writeFileSync(join(cgroupFolder(pid, 'devices'), 'devices.allow'), 'c 10:228 rw');
      await send(scene, id, { devices: [nothing, device], cpu: { shares: 99 } });
      expect(list()).to.include('c 10:228 rw');
      await send(scene, id, { devices: [nothing, fuse] });
      expect(list()).to.include.members(['c 10:228 rw', 'c 10:229 rwm', 'c 1:3 rwm']);
      expect(await shell(open)).to.contain('not permitted');
      await send(scene, id, { devices: [nothing] });
      expect(list()).not.to.include('c 10:229 rwm');
      expect(list()).to.include('c 1:3 rwm');
    },
    needs('devices'),
  );

  scenario(
    'what engines write and runc takes: access rwa, and a swappiness that nobody asked for',
    async (scene) => {
      const { id, pid } = await started(scene, (config) => {
        config.linux.resources.memory = { swappiness: 7 };
      });
      const devices = '[{"allow":true,"type":"c","major":10,"minor":229,"access":"rwa"}]';
      const input = `{"devices":${devices},"memory":{"swappiness":18446744073709551615}}`;
      succeeded(await scene.tsrun(['update', '--resources=-', id], { input }));
      expect(cgroupFile(pid, 'devices.list').split('\n')).to.include('c 10:229 rw');
      expect(cgroupFile(pid, 'memory.swappiness')).to.equal('7');
    },
    needs('memory', 'memory.swappiness'),
  );

  scenario(
    'a device is never refused while rules change that both allow it',
    async (scene) => {
      const nothing = { allow: false, access: 'rwm' };
      const rule = (minor: number): unknown => ({ allow: true, type: 'c', major: 10, minor, access: 'rw' });
      const { id, shell } = await started(scene, (config) => {
        const loop = 'while : < /dev/null; do echo ok > /dev/null || break; done; touch /refused';
        config.process.args = ['sh', '-c', `(${loop}) & exec sleep 1000`];
      });
      for (let minor = 1; minor < 16; minor++) await send(scene, id, { devices: [nothing, rule(minor)] });
      expect(await shell('ls /refused 2>/dev/null; true')).to.equal('');
    },
    needs('devices'),
  );

  scenario(
    'a created and a paused container are changed, a stopped one is not',
    async (scene) => {
      const id = scene.id();
      scene.configure((config) => (config.process.args = ['sleep', '1000']));
      const pid = await scene.create(id);
      succeeded(await scene.tsrun(['update', '--pids-limit', '40', id]));
      expect(cgroupFile(pid, 'pids.max')).to.equal('40');
      await scene.start(id);
      succeeded(await scene.tsrun(['pause', id]));
      succeeded(await scene.tsrun(['update', '--pids-limit', '41', '--memory', '64m', id]));
      expect(cgroupFile(pid, 'pids.max')).to.equal('41');
      expect(await scene.state(id)).to.include({ status: 'paused' });
      await scene.kill(id, 'KILL');
      await exitStatus(pid);
      expect(failed(await scene.tsrun(['update', '--pids-limit', '42', id])).stderr).to.match(
        /container not running/,
      );
      expect(failed(await scene.tsrun(['update', '--pids-limit', '42', scene.id()])).stderr).to.match(
        /does not exist/,
      );
    },
    needs('pids'),
  );

  scenario(
    'a limit below what is in use is refused when asked to',
    async (scene) => {
      const { id, pid } = await started(scene);
      const limit = cgroupFile(pid, 'memory.limit_in_bytes');
      const input = JSON.stringify({ memory: { limit: 4096, checkBeforeUpdate: true }, pids: { limit: 3 } });
      const { stderr } = failed(await scene.tsrun(['update', '-r', '-', id], { input }));
      expect(stderr).to.match(/rejecting memory limit 4096 < usage \d+/);
      expect(cgroupFile(pid, 'memory.limit_in_bytes')).to.equal(limit);
      expect(cgroupFile(pid, 'pids.max')).to.equal('max');
    },
    needs('memory', 'memory.limit_in_bytes'),
  );

  scenario('wrong values of update are named', async (scene) => {
    const { id } = await started(scene);
    const wrong: [args: string[], says: RegExp][] = [
      [['--memory', '12q'], /--memory "12q": must be a size/],
      [['--memory=-2'], /--memory "-2": must be a size/],
      [['--cpu-period', '-1'], /--cpu-period "-1": must be a whole number from 0/],
      [['--cpu-idle', '2'], /--cpu-idle "2"/],
      [['--blkio-weight', '65536'], /--blkio-weight "65536"/],
      [['--cpuset-cpus', '0-x'], /--cpuset-cpus: must be a list like/],
      [['--memory', '2m', '--memory-swap', '1m'], /--memory-swap: .*must not be below the memory limit/],
      [['--memmory', '1m'], /did you mean --memory\?/],
      [[], /nothing to change/],
      [['--l3-cache-schema', 'L3:0=f'], /--l3-cache-schema: container .* has no class of Intel RDT/],
      [['--mem-bw-schema', 'MB:0=20'], /--mem-bw-schema: container .* has no class of Intel RDT/],
      [['--mem-bw-schema', '0=20'], /--mem-bw-schema: must begin with MB:/],
      [['--l3-cache-schema', 'L3:0=f\nL3:1=f'], /--l3-cache-schema: must be one line/],
      [['-r', '/nonexistent.json'], /open \/nonexistent.json: no such file/],
    ];
    for (const [args, says] of wrong)
      expect(failed(await scene.tsrun(['update', ...args, id])).stderr).to.match(says);
    const documents: [text: string, says: RegExp][] = [
      ['', /not valid JSON/],
      ['{"memory":', /stdin:1:\d+: not valid JSON/],
      ['[]', /object/],
      ['{"memory":{"limit":"64m"}}', /stdin:1:20: \/memory\/limit "64m": expected an integer/],
      ['{"pids":{"limit":1e99}}', /\/pids\/limit/],
      ['{"devices":[{"allow":true,"access":"x"}]}', /\/devices\/0\/access/],
    ];
    for (const [input, says] of documents)
      expect(failed(await scene.tsrun(['update', '-r', '-', id], { input })).stderr).to.match(says);
  });

  scenario(
    'update leaves the same limits as runc',
    async (scene) => {
      const { id, pid } = await started(scene);
      const theirs = scene.id();
      const other = await scene.createWith('runc', theirs);
      succeeded(await scene.runc(['start', theirs]));
      const updates = [
        ['--memory', '64m', '--memory-swap', '128m', '--memory-reservation', '16m'],
        ['--cpu-quota', '20000', '--cpu-period', '40000', '--cpu-share', '512', '--pids-limit', '64'],
        ['--cpu-quota=-1', '--cpuset-cpus', '0', '--cpuset-mems', '0'],
        ['--memory', '32m'],
        ['--memory', '-1', '--memory-swap', '-1', '--pids-limit', '-1'],
      ];
      const files = [
        'memory.limit_in_bytes',
        'memory.memsw.limit_in_bytes',
        'memory.soft_limit_in_bytes',
        'cpu.cfs_quota_us',
        'cpu.cfs_period_us',
        'cpu.shares',
        'cpuset.cpus',
        'cpuset.mems',
        'pids.max',
      ];
      for (const flags of updates) {
        succeeded(await scene.tsrun(['update', ...flags, id]));
        succeeded(await scene.runc(['update', ...flags, theirs]));
        for (const file of files) {
          expect(cgroupFile(pid, file), `${file} after ${flags.join(' ')}`).to.equal(cgroupFile(other, file));
        }
      }
    },
    needs('memory', 'memory.memsw.limit_in_bytes'),
  );
});
