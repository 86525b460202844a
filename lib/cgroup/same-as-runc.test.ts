import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Resources } from '../config/types.ts';
import { cgroupManager } from './cgroup-manager.ts';
import { directoryOf, layout, present, TestCgroups } from './testing/cgroups.ts';
import type { CgroupRecord } from './record.ts';
import { needRoot, skip } from '../testing/skip.ts';

const program = '/bin/busybox';
const runcFound = spawnSync('runc', ['--version']).status === 0;
const usable = layout.mode !== 'v2' && runcFound && existsSync(program);

/** What changes by itself, and .rsvd. files, which runc 1.1 leaves alone. All else is configuration. */
const measured =
  /stat|usage|failcnt|pressure|events|current|peak|slabinfo|cgroup\.(procs|threads)|^tasks$|io_service|force_empty|event_control|blkio\.reset|prioidx|\.rsvd\./;

/** A v1 controller without anything to configure by default, which runc 1.1 leaves out. */
const unknownToRunc = 'misc';

const hasRealTime = layout.v1.some(({ mountpoint }) => existsSync(`${mountpoint}/cpu.rt_runtime_us`));

function isPossible({ cpu, network, hugepageLimits }: Resources): boolean {
  const has = (controller: string): boolean =>
    layout.v1.some(({ controllers }) => controllers.includes(controller));
  return (
    (cpu?.realtimeRuntime === undefined || hasRealTime) &&
    (network === undefined || (has('net_cls') && has('net_prio'))) &&
    (hugepageLimits === undefined || has('hugetlb'))
  );
}

const device = { major: 7, minor: 0 };

const cases: Record<string, Resources | undefined> = {
  'no resources': undefined,
  'what runc spec asks for': { devices: [{ allow: false, access: 'rwm' }] },
  memory: {
    memory: {
      limit: 67108864,
      swap: 134217728,
      reservation: 33554432,
      swappiness: 10,
      disableOOMKiller: true,
    },
  },
  'unlimited memory': { memory: { limit: -1, swap: -1 } },
  cpu: { cpu: { shares: 300, quota: 40000, period: 50000, cpus: '0', mems: '0' } },
  'real time': { cpu: { realtimePeriod: 900000, realtimeRuntime: 10000 } },
  pids: { pids: { limit: 77 } },
  'block I/O': {
    blockIO: {
      weight: 321,
      throttleReadBpsDevice: [{ ...device, rate: 1000 }],
      throttleWriteBpsDevice: [{ ...device, rate: 2000 }],
      throttleReadIOPSDevice: [{ ...device, rate: 30 }],
      throttleWriteIOPSDevice: [{ ...device, rate: 40 }],
    },
  },
  'network classes': { network: { classID: 1048577, priorities: [{ name: 'lo', priority: 2 }] } },
  'huge pages': { hugepageLimits: [{ pageSize: '2MB', limit: 4194304 }] },
  'a privileged container': {
    devices: [
      { allow: false, access: 'rwm' },
      { allow: true, access: 'rwm' },
    ],
  },
  'device rules': {
    devices: [
      { allow: false, access: 'rwm' },
      { allow: true, type: 'c', major: 10, minor: 229, access: 'rwm' },
      { allow: true, type: 'b', major: 7, access: 'rm' },
      { allow: false, type: 'c', major: 10, minor: 229, access: 'm' },
    ],
  },
};

/** Every configuration file of every hierarchy. */
function configuration(record: CgroupRecord): Record<string, string> {
  const files: Record<string, string> = {};
  for (const [controller, directory] of Object.entries(record.paths)) {
    if (controller === unknownToRunc) continue;
    for (const name of readdirSync(directory)) {
      const path = join(directory, name);
      if (measured.test(name) || !statSync(path).isFile() || (statSync(path).mode & 0o444) === 0) continue;
      const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
      // runc sorts its device rules; the order of ours is the config's.
      files[`${controller}/${name}`] = (name === 'devices.list' ? lines.sort() : lines).join('\n');
    }
  }
  return files;
}

/**
 * A new cgroup has no real-time budget, so nothing below it can have any. A small one: the kernel takes it from
 * the whole host, and gives it back some time after the cgroup is removed.
 */
function giveRealTime(parent: CgroupRecord): void {
  const cpu = directoryOf(parent, 'cpu');
  mkdirSync(cpu);
  writeFileSync(join(cpu, 'cpu.rt_runtime_us'), '50000');
}

describe('cgroups beside those of runc', function () {
  let bundle: string;

  this.timeout(60_000);
  let cgroups: TestCgroups;

  before(function () {
    needRoot(this);
    if (!usable) skip(this, 'needs cgroup v1, runc and a static program');
  });
  beforeEach(() => {
    cgroups = new TestCgroups();
    bundle = mkdtempSync(join(tmpdir(), 'tsrun-runc-'));
    for (const name of ['bin', 'proc']) mkdirSync(join(bundle, 'rootfs', name), { recursive: true });
    cpSync(program, join(bundle, 'rootfs/bin/sleep'));
  });
  afterEach(async () => {
    runc('delete', '--force', cgroups.name);
    await cgroups.cleanUp();
    rmSync(bundle, { recursive: true, force: true });
  });

  function runc(...args: string[]): { status: number | null; output: string } {
    // No pipes: the container would hold them, and with them this call, open.
    const log = join(bundle, 'log');
    const options = ['--root', join(bundle, 'state'), '--log', log];
    const { status } = spawnSync('runc', [...options, ...args], { stdio: 'ignore' });
    return { status, output: existsSync(log) ? readFileSync(log, 'utf8') : '' };
  }

  for (const [name, resources] of Object.entries(cases)) {
    it(`has the same configuration for ${name}`, function () {
      if (!isPossible(resources ?? {})) skip(this, 'this host cannot have such limits');
      const theirs = cgroups.record('/runc');
      if (resources?.cpu?.realtimeRuntime !== undefined) giveRealTime(cgroups.record());
      const config = {
        ociVersion: '1.0.2',
        root: { path: 'rootfs' },
        mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }],
        process: { args: ['/bin/sleep', '60'], cwd: '/' },
        linux: {
          namespaces: ['pid', 'mount', 'ipc', 'uts'].map((type) => ({ type })),
          cgroupsPath: `/${cgroups.name}/runc`,
          resources,
        },
      };
      writeFileSync(join(bundle, 'config.json'), JSON.stringify(config));
      const created = runc('create', '--bundle', bundle, cgroups.name);
      expect(created, created.output).to.include({ status: 0 });

      const ours = cgroups.record('/tsrun');
      const manager = cgroupManager(ours);
      manager.create();
      expect(manager.apply(resources)).to.deep.equal([]);
      manager.join(cgroups.shell('exec sleep 60').pid);

      const known = (record: CgroupRecord): string[] =>
        Object.keys(record.paths).filter((controller) => controller !== unknownToRunc);
      expect(present(theirs)).to.have.length(known(theirs).length);
      expect(configuration(ours)).to.deep.equal(configuration(theirs));
    });
  }
});
