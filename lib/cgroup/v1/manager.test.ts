import { expect } from 'chai';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { processCgroups } from '../../host/proc.ts';
import { cgroupManager } from '../cgroup-manager.ts';
import { removeCgroups } from '../remove.ts';
import { directoryOf, failure, layout, present, read, TestCgroups, until } from '../testing/cgroups.ts';
import { walk } from '../walk.ts';
import { needRoot, skip } from '../../testing/skip.ts';

const usable = layout.mode === 'hybrid' || layout.mode === 'v1';

/** The state letter of a process (proc(5)); empty when it has ended. */
function stateOf(pid: number): string {
  try {
    return /^State:\s+(\S)/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1] ?? '';
  } catch {
    return '';
  }
}

describe('cgroup v1 on this host', function () {
  let cgroups: TestCgroups;

  this.timeout(60_000);
  before(function () {
    needRoot(this);
    if (!usable) skip(this, 'this host has no cgroup v1');
  });
  beforeEach(() => {
    cgroups = new TestCgroups();
  });
  afterEach(() => cgroups.cleanUp());

  describe('create and remove', () => {
    it('makes a cgroup in every hierarchy, moves a process in and leaves nothing', async () => {
      const record = cgroups.record();
      const manager = cgroupManager(record);
      expect(present(record)).to.deep.equal([]);
      manager.create();
      expect(present(record)).to.deep.equal(Object.values(record.paths));
      expect(manager.apply(undefined)).to.deep.equal([]);

      const child = cgroups.shell('exec sleep 60');
      manager.join(child.pid);
      const paths = new Set(processCgroups(child.pid)?.map(({ path }) => path));
      expect([...paths]).to.deep.equal([`/${cgroups.name}`]);
      expect(manager.processes()).to.include(child.pid);

      manager.kill(9);
      await once(child, 'exit');
      manager.remove();
      expect(present(record)).to.deep.equal([]);
      expect(manager.processes()).to.deep.equal([]);
      manager.remove();
    });

    it('lets a process move itself in', async () => {
      const manager = cgroups.manager();
      manager.create();
      manager.apply({});
      const { tasks, cloneInto } = manager.selfJoin();
      const child = cgroups.shell(`for f in ${tasks.join(' ')}; do echo 0 > $f || exit; done; sleep 60`);
      const moved = (): string[] =>
        (processCgroups(child.pid) ?? [])
          .filter(({ path }) => path === `/${cgroups.name}`)
          .map(({ path }) => path);
      await until(() => moved().length === tasks.length);
      expect(cloneInto).to.equal(cgroups.record().paths['']);
    });

    it('gives empty cpusets on the way what their parents have', () => {
      const record = cgroups.record('/made/by/others');
      mkdirSync(directoryOf(cgroups.record(), 'cpuset'));
      mkdirSync(directoryOf(cgroups.record('/made'), 'cpuset'));
      const manager = cgroupManager(record);
      manager.create();
      manager.apply({});
      expect(read(record, 'cpuset.cpus')).to.equal(
        readFileSync('/sys/fs/cgroup/cpuset/cpuset.cpus', 'utf8').trim(),
      );
      expect(read(record, 'cpuset.mems')).to.equal(
        readFileSync('/sys/fs/cgroup/cpuset/cpuset.mems', 'utf8').trim(),
      );
      manager.join(cgroups.shell('exec sleep 60').pid);
    });

    it("takes the config's cpus below an empty parent", () => {
      const record = cgroups.record('/parent/child');
      const manager = cgroupManager(record);
      manager.create();
      manager.apply({ cpu: { cpus: '0' } });
      expect(read(record, 'cpuset.cpus')).to.equal('0');
      expect(read(record, 'cpuset.mems')).not.to.equal('');
    });

    it('undoes what it made, and only that, when one hierarchy fails', () => {
      const record = cgroups.record('/a/b');
      const kept = directoryOf(cgroups.record(), 'cpu');
      mkdirSync(kept);
      record.paths['broken'] = `${kept}/cgroup.procs/x`;
      const error = failure(() => {
        cgroupManager(record).create();
      });
      expect(error.message).to.contain('not a directory (ENOTDIR)');
      expect(error.pointer).to.equal('/linux/cgroupsPath');
      expect(present(cgroups.record())).to.deep.equal([kept]);
      rmdirSync(kept);
    });

    it('takes over a cgroup that is empty', () => {
      const record = cgroups.record();
      mkdirSync(directoryOf(record, 'memory'));
      const manager = cgroupManager(record);
      manager.create();
      manager.apply({ memory: { limit: 1 << 26, swap: 1 << 27 } });
      expect(read(record, 'memory.limit_in_bytes')).to.equal(String(1 << 26));
    });

    it('refuses a cgroup with processes, of a sub-cgroup too, and leaves it alone', () => {
      const other = cgroups.manager('/inner');
      other.create();
      other.apply({});
      const child = cgroups.shell('exec sleep 60');
      other.join(child.pid);
      const error = failure(() => {
        cgroups.manager().create();
      });
      expect(error.message).to.match(/is not empty: 1 process\(es\) found/);
      expect(error.message).to.contain(String(child.pid));
      expect(error.pointer).to.equal('/linux/cgroupsPath');
      expect(other.processes()).to.deep.equal([child.pid]);
    });

    it('refuses a frozen cgroup', () => {
      const record = cgroups.record();
      const freezer = directoryOf(record, 'freezer');
      mkdirSync(freezer);
      writeFileSync(`${freezer}/freezer.state`, 'FROZEN');
      const error = failure(() => {
        cgroupManager(record).create();
      });
      expect(error.message).to.contain('frozen');
      expect(present(record)).to.deep.equal([freezer]);
    });

    it('removes what a container nested in its cgroups, deeper than any path', async () => {
      const record = cgroups.record();
      const manager = cgroupManager(record);
      manager.create();
      mkdirSync(`${directoryOf(record, 'pids')}/one`);
      mkdirSync(`${directoryOf(record, 'pids')}/one/two`);
      const name = 'n'.repeat(200);
      const deep = cgroups.shell(
        `cd ${directoryOf(record, 'freezer')}; i=0
         while [ $i -lt 25 ]; do mkdir ${name} && cd -P ${name} || exit 1; i=$((i+1)); done; echo $$ > cgroup.procs; sleep 60`,
      );
      await until(() => manager.processes().includes(deep.pid));
      manager.kill(9);
      manager.remove();
      expect(present(record)).to.deep.equal([]);
    });

    it('needs few descriptors for a container that nests widely where paths are long', async () => {
      const record = cgroups.record();
      cgroupManager(record).create();
      const name = 'n'.repeat(200);
      const freezer = directoryOf(record, 'freezer');
      const maker = cgroups.shell(
        `cd ${freezer}; i=0; while [ $i -lt 14 ]; do mkdir ${name} && cd -P ${name} || exit 1; i=$((i+1)); done
         while [ $i -lt 54 ]; do mkdir -p ${name}$i/x || exit 1; i=$((i+1)); done`,
      );
      expect(await once(maker, 'exit')).to.deep.equal([0, null]);
      const count = (): number => readdirSync('/proc/self/fd').length;
      const before = count();
      const counts: number[] = [];
      walk(freezer, () => counts.push(count()));
      expect(counts).to.have.length(1 + 14 + 2 * 40);
      expect(Math.max(...counts)).to.be.at.most(before + 3);
      expect(count()).to.equal(before);
    });

    it('waits for processes that are about to end', () => {
      const record = cgroups.record();
      const manager = cgroupManager(record);
      manager.create();
      manager.apply({});
      manager.join(cgroups.shell('exec sleep 0.3').pid);
      manager.remove();
      expect(present(record)).to.deep.equal([]);
    });

    it('names the processes that stay, after removing the rest', () => {
      const record = cgroups.record();
      const manager = cgroupManager(record);
      manager.create();
      const child = cgroups.shell('exec sleep 60');
      writeFileSync(`${directoryOf(record, 'pids')}/cgroup.procs`, String(child.pid));
      const error = failure(() => {
        removeCgroups(Object.values(record.paths), 100);
      });
      expect(error.message).to.contain(`still used by process ${String(child.pid)}`);
      expect(present(record)).to.deep.equal([directoryOf(record, 'pids')]);
    });
  });

  describe('limits', () => {
    it('shows the device rules in their order', () => {
      const record = cgroups.record();
      const manager = cgroupManager(record);
      manager.create();
      manager.apply({
        devices: [
          { allow: false, access: 'rwm' },
          { allow: true, type: 'c', major: 10, minor: 229, access: 'rw' },
          { allow: true, type: 'b', major: 8, minor: 20, access: 'rwm' },
        ],
      });
      const list = read(record, 'devices.list').split('\n');
      expect(list.slice(0, 4)).to.deep.equal(['c 10:229 rw', 'b 8:20 rwm', 'c *:* m', 'b *:* m']);
      expect(list).to.have.length(13);
    });

    it('raises and lowers memory and swap together', () => {
      const record = cgroups.record();
      const manager = cgroupManager(record);
      manager.create();
      const set = (limit: number, swap: number): void => {
        // A new object each time, as a later command has: it does not know what the first one wrote.
        cgroupManager(record).update({ memory: { limit: limit << 20, swap: swap << 20 } });
        expect(read(record, 'memory.limit_in_bytes')).to.equal(String(limit << 20));
        expect(read(record, 'memory.memsw.limit_in_bytes')).to.equal(String(swap << 20));
      };
      set(64, 128);
      set(256, 512);
      set(600, 700);
      set(32, 64);
      set(64, 64);
    });

    it('says what is in use when a memory limit is too low', async () => {
      const record = cgroups.record();
      const manager = cgroupManager(record);
      manager.create();
      manager.apply({});
      const memory = directoryOf(record, 'memory');
      cgroups.shell(
        `echo 0 > ${memory}/tasks; x=$(head -c 8000000 /dev/zero | tr '\\0' x); echo $$ > ${directoryOf(record, 'pids')}/tasks; sleep 60`,
      );
      await until(() => read(record, 'tasks', 'pids') !== '');
      const error = failure(() => cgroupManager(record).update({ memory: { limit: 1 << 20 } }));
      expect(error.code).to.equal('config');
      expect(error.pointer).to.equal('/linux/resources/memory/limit');
      expect(error.message).to.match(/memory limit to "1048576".*EBUSY.*uses \d+ bytes \(peak \d+\)/);

      const checked = failure(() =>
        cgroupManager(record).update({ memory: { limit: 1 << 20, checkBeforeUpdate: true } }),
      );
      expect(checked.message).to.match(/rejecting memory limit 1048576 < usage \d+/);
    });

    it('explains swap below memory', () => {
      const manager = cgroups.manager();
      manager.create();
      const error = failure(() => manager.apply({ memory: { limit: 1 << 27, swap: 1 << 26 } }));
      expect(error.pointer).to.equal('/linux/resources/memory/swap');
      expect(error.message).to.contain('the memory limit is 134217728');
    });

    it('accepts burst, period and quota whatever their order needs to be', () => {
      const record = cgroups.record();
      const manager = cgroupManager(record);
      manager.create();
      manager.apply({ cpu: { quota: 20000, burst: 10000, period: 100000 } });
      manager.update({ cpu: { quota: 90000, burst: 50000 } });
      expect(read(record, 'cpu.cfs_burst_us')).to.equal('50000');
      manager.update({ cpu: { quota: 5000, burst: 1000, period: 10000 } });
      expect(read(record, 'cpu.cfs_quota_us')).to.equal('5000');
      manager.update({ cpu: { burst: 3000 } });
      const { hint } = failure(() => manager.update({ cpu: { quota: 2000 } }));
      expect(hint).to.include('burst');
      expect(read(record, 'cpu.cfs_period_us')).to.equal('10000');
    });

    it('accepts a real-time period and runtime whatever their order needs to be', function () {
      const record = cgroups.record();
      const manager = cgroupManager(record);
      manager.create();
      const supported = existsSync(`${directoryOf(record, 'cpu')}/cpu.rt_period_us`);
      const set = (): void => {
        manager.update({ cpu: { realtimePeriod: 500000, realtimeRuntime: 1000 } });
        manager.update({ cpu: { realtimePeriod: 900, realtimeRuntime: 100 } });
      };
      if (!supported) {
        expect(failure(set).hint).to.contain('real-time group scheduling');
        return;
      }
      set();
      expect(read(record, 'cpu.rt_period_us')).to.equal('900');
    });

    it('warns about a kernel memory limit that has no effect', () => {
      const manager = cgroups.manager();
      manager.create();
      // On kernels that still have the limit there is nothing to warn about.
      const warnings = manager.apply({ memory: { kernel: 1 << 26 } });
      const record = cgroups.record();
      const limited = read(record, 'memory.kmem.limit_in_bytes') === String(1 << 26);
      expect(warnings.map(({ pointer }) => pointer)).to.deep.equal(
        limited ? [] : ['/linux/resources/memory/kernel'],
      );
      expect(manager.apply({ memory: { kernel: -1 } })).to.deep.equal([]);
    });

    it('refuses a limit whose controller is missing before it writes any', function () {
      if (layout.v1.some(({ controllers }) => controllers.includes('net_cls')))
        skip(this, 'this host has net_cls');
      const record = cgroups.record();
      const manager = cgroupManager(record);
      manager.create();
      const error = failure(() => manager.apply({ pids: { limit: 5 }, network: { classID: 1 } }));
      expect(error.code).to.equal('unsupported');
      expect(error.message).to.contain('cannot set net_cls limit: container could not join or create cgroup');
      expect(error.pointer).to.equal('/linux/resources/network/classID');
      expect(read(record, 'pids.max')).to.equal('max');
    });

    for (const [name, resources, pointer, text] of [
      ['cpus the host has not', { cpu: { cpus: '4000' } }, 'cpu/cpus', 'the parent cgroup has'],
      [
        'a device that does not exist',
        { blockIO: { throttleReadBpsDevice: [{ major: 4000, minor: 1, rate: 1 }] } },
        'blockIO/throttleReadBpsDevice/0/rate',
        'ENODEV',
      ],
      ['a period that is too short', { cpu: { period: 1 } }, 'cpu/period', 'EINVAL'],
      ['a memory limit below -1', { memory: { limit: -2 } }, 'memory/limit', 'EINVAL'],
      ['a leaf weight', { blockIO: { leafWeight: 10 } }, 'blockIO/leafWeight', 'ENOENT'],
    ] as const) {
      it(`says where ${name} comes from`, () => {
        const manager = cgroups.manager();
        manager.create();
        const mutable: unknown = resources;
        const error = failure(() => manager.apply(mutable as Parameters<typeof manager.apply>[0]));
        expect(error.pointer).to.equal(`/linux/resources/${pointer}`);
        expect(error.message).to.contain(text);
      });
    }
  });

  describe('processes', () => {
    it('stops and continues all of them', async () => {
      const manager = cgroups.manager();
      manager.create();
      manager.apply({});
      const counter = cgroups.shell('while :; do :; done');
      manager.join(counter.pid);
      expect(manager.frozen()).to.equal(false);
      manager.freeze();
      expect(manager.frozen()).to.equal(true);
      const before = readFileSync(`/proc/${String(counter.pid)}/stat`, 'utf8').split(' ')[13];
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(readFileSync(`/proc/${String(counter.pid)}/stat`, 'utf8').split(' ')[13]).to.equal(before);
      manager.freeze();
      manager.thaw();
      expect(manager.frozen()).to.equal(false);
      await until(() => stateOf(counter.pid) === 'R');
    });

    it('kills those that are frozen', async () => {
      const manager = cgroups.manager();
      manager.create();
      manager.apply({});
      const child = cgroups.shell('exec sleep 60');
      manager.join(child.pid);
      manager.freeze();
      const exit = once(child, 'exit');
      manager.kill(15);
      expect(manager.frozen()).to.equal(true);
      manager.kill(9);
      expect(manager.frozen()).to.equal(false);
      await exit;
    });

    it('kills processes that fork faster than they can be listed', async () => {
      const record = cgroups.record();
      const manager = cgroupManager(record);
      manager.create();
      manager.apply({ pids: { limit: 300 } });
      // Each process makes its successor and ends. They start inside the limit, not before it.
      const { tasks } = manager.selfJoin();
      cgroups.shell(
        `for f in ${tasks.join(' ')}; do echo 0 > $f || exit; done; f() { sleep 0.005; f & }; f & f & f & f &`,
      );
      await until(() => manager.processes().length > 2);
      manager.kill(9);
      await until(() => manager.processes().length === 0);
      manager.remove();
      expect(present(record)).to.deep.equal([]);
    });

    it('sends nothing when there is nobody, or no cgroup', () => {
      const manager = cgroups.manager();
      manager.kill(9);
      manager.create();
      manager.kill(9);
      expect(manager.processes()).to.deep.equal([]);
    });

    it('cannot pause what does not exist', () => {
      const manager = cgroups.manager();
      expect(
        failure(() => {
          manager.freeze();
        }).message,
      ).to.contain('does not exist');
      expect(
        failure(() => {
          manager.thaw();
        }).message,
      ).to.contain('does not exist');
      expect(manager.frozen()).to.equal(false);
    });
  });
});

describe('a container without cgroups', () => {
  const manager = cgroupManager({ driver: 'disabled', version: 1, paths: {}, shared: {} });

  it('has no limits', () => {
    const error = failure(() => manager.apply({ memory: { limit: 1 } }));
    expect(error.message).to.contain('cannot set memory limit: container could not join or create cgroup');
    expect(error.pointer).to.equal('/linux/resources/memory/limit');
  });

  it('runs with the device rules of its caller', () => {
    expect(manager.apply({ devices: [{ allow: false, access: 'rwm' }] })).to.deep.equal([]);
    manager.create();
    manager.join(process.pid);
    manager.remove();
    expect(manager.processes()).to.deep.equal([]);
  });

  it('cannot be paused', () => {
    expect(
      failure(() => {
        manager.freeze();
      }).code,
    ).to.equal('unsupported');
  });
});
