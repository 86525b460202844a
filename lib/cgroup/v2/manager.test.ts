import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { processCgroups } from '../../host/proc.ts';
import { writeLimits } from '../write-limits.ts';
import { ManagerV2 } from './manager.ts';
import { failure, layout, present, TestCgroups, until } from '../testing/cgroups.ts';
import type { CgroupRecord } from '../record.ts';
import { needRoot, skip } from '../../testing/skip.ts';

/** Where the v2 hierarchy is the only one, its controllers are there to be tested; in hybrid ones they are not. */
const isWhole = layout.mode === 'v2';

describe('cgroup v2 on this host', function () {
  let cgroups: TestCgroups;
  let record: CgroupRecord;
  let attached: unknown[];

  this.timeout(60_000);

  before(function () {
    needRoot(this);
    if (layout.v2 === undefined) skip(this, 'no cgroup v2 is mounted');
  });
  beforeEach(() => {
    cgroups = new TestCgroups();
    attached = [];
    const top = cgroups.record().paths[''] ?? '';
    // In the hybrid layout the test's own cgroup serves as the root: no other cgroup gets controllers.
    if (!isWhole) mkdirSync(top);
    record = {
      driver: 'cgroupfs',
      version: 2,
      paths: { '': `${top}/group/container` },
      shared: {},
      mountpoint: isWhole ? (layout.v2?.mountpoint ?? '') : top,
    };
  });
  afterEach(() => cgroups.cleanUp());

  const manager = (): ManagerV2 =>
    new ManagerV2(record, (directory, rules) => {
      attached.push([directory, rules]);
    });
  const read = (file: string): string => readFileSync(`${record.paths[''] ?? ''}/${file}`, 'utf8').trim();

  it('makes one directory, moves a process in and leaves nothing', async () => {
    const container = manager();
    expect(present(record)).to.deep.equal([]);
    container.create();
    expect(container.apply(undefined)).to.deep.equal([]);
    expect(attached).to.deep.equal([[record.paths[''], []]]);
    expect(container.selfJoin()).to.deep.equal({ tasks: [], cloneInto: record.paths[''] });

    const child = cgroups.shell('exec sleep 60');
    container.join(child.pid);
    const own = processCgroups(child.pid)?.find(({ controllers }) => controllers.length === 0);
    expect(own?.path).to.equal(`/${cgroups.name}/group/container`);
    expect(container.processes()).to.deep.equal([child.pid]);

    const exit = once(child, 'exit');
    container.kill(9);
    await exit;
    container.remove();
    expect(present(record)).to.deep.equal([]);
    container.remove();
  });

  it('refuses a cgroup with processes, or one that is frozen', () => {
    const first = manager();
    first.create();
    first.freeze();
    expect(
      failure(() => {
        manager().create();
      }).message,
    ).to.contain('frozen');
    first.thaw();
    first.join(cgroups.shell('exec sleep 60').pid);
    const error = failure(() => {
      manager().create();
    });
    expect(error.message).to.contain('is not empty: 1 process(es) found');
    expect(error.pointer).to.equal('/linux/cgroupsPath');
  });

  it('stops and continues, and kills what is stopped', async () => {
    const container = manager();
    container.create();
    const child = cgroups.shell('exec sleep 60');
    container.join(child.pid);
    container.freeze();
    expect(container.frozen()).to.equal(true);
    container.kill(15);
    // The process may be dying of it already, and is not counted as stopped then.
    expect(read('cgroup.freeze')).to.equal('1');
    const exit = once(child, 'exit');
    container.thaw();
    expect(container.frozen()).to.equal(false);
    expect(await exit).to.deep.equal([null, 'SIGTERM']);

    const other = cgroups.shell('exec sleep 60');
    container.join(other.pid);
    container.freeze();
    const otherExit = once(other, 'exit');
    container.kill(9);
    expect(await otherExit).to.deep.equal([null, 'SIGKILL']);
  });

  it('sends the signal it was asked for, and lets those go on that are not stopped', async () => {
    const container = manager();
    container.create();
    const ready = `${record.paths[''] ?? ''}/../ready`;
    const child = cgroups.shell(`trap "exit 5" TERM; mkdir ${ready}; while :; do sleep 0.01; done`);
    container.join(child.pid);
    await until(() => existsSync(ready));
    const exit = once(child, 'exit');
    container.kill(15);
    expect(read('cgroup.freeze')).to.equal('0');
    expect(await exit).to.deep.equal([5, null]);
  });

  it('lets a container go on that it has stopped to signal it', async () => {
    const container = manager();
    container.create();
    const child = cgroups.shell('trap "" TERM; while :; do sleep 0.01; done');
    container.join(child.pid);
    await until(() => /^SigIgn:.*4...$/m.test(readFileSync(`/proc/${child.pid}/status`, 'latin1')));
    container.kill(15);
    expect(read('cgroup.freeze')).to.equal('0');
    expect(container.processes()).to.include(child.pid);
  });

  it('kills also what runs in a pid namespace that nobody here sees', async () => {
    manager().create();
    const hidden = cgroups.shell('exec sleep 60');
    manager().join(hidden.pid);
    const exit = once(hidden, 'exit');
    const script = `
      import { spawn } from 'node:child_process';
      import { ManagerV2 } from '${import.meta.dirname}/manager.ts';
      const container = new ManagerV2(${JSON.stringify(record)});
      container.join(spawn('sleep', ['60']).pid);
      if (container.processes().length !== 1) throw new Error('more than one process is seen');
      container.kill(9);
    `;
    const unseeing = ['--pid', '--fork', '--kill-child', '--mount-proc', process.execPath];
    const run = spawn('unshare', [...unseeing, '--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    expect(await once(run, 'exit')).to.deep.equal([0, null]);
    expect(await exit).to.deep.equal([null, 'SIGKILL']);
  });

  it('stops nobody while tsrun itself is in there', async () => {
    manager().create();
    const script = `
      import { ManagerV2 } from '${import.meta.dirname}/manager.ts';
      const container = new ManagerV2(${JSON.stringify(record)});
      container.join(process.pid);
      for (const step of [() => container.kill(9), () => container.kill(15), () => container.freeze()]) {
        try {
          step();
          console.log('done');
        } catch (error) {
          console.log(error.message);
        }
      }
    `;
    const { pid, stdout } = spawn(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', script],
      { stdio: ['ignore', 'pipe', 'inherit'], timeout: 20_000, killSignal: 'SIGKILL' },
    );
    const words = 'tsrun itself runs in the cgroup of this container\n';
    expect((await stdout.toArray()).join(''), `process ${pid ?? 0}`).to.equal(words.repeat(3));
  });

  it('kills and removes all that a container nested', async () => {
    const container = manager();
    container.create();
    const directory = record.paths[''] ?? '';
    const child = cgroups.shell(
      `mkdir -p ${directory}/a/b; echo $$ > ${directory}/a/b/cgroup.procs; f() { sleep 0.005; f & }; f & f & f & f &`,
    );
    await until(() => container.processes().length > 2 && !container.processes().includes(child.pid));
    container.kill(9);
    container.remove();
    expect(present(record)).to.deep.equal([]);
  });

  it('lists, kills and removes what a container made threaded', async () => {
    const container = manager();
    container.create();
    const directory = record.paths[''] ?? '';
    const threads = `${directory}/threads`;
    mkdirSync(threads);
    writeFileSync(`${threads}/cgroup.type`, 'threaded');
    const child = cgroups.shell('exec sleep 60');
    container.join(child.pid);
    writeFileSync(`${threads}/cgroup.threads`, String(child.pid));
    expect(container.processes()).to.deep.equal([child.pid]);
    const exit = once(child, 'exit');
    container.kill(9);
    await exit;
    container.remove();
    expect(present(record)).to.deep.equal([]);
  });

  it('refuses to run without device rules, unless it has no right to set any', () => {
    const bare = new ManagerV2(record);
    bare.create();
    expect(failure(() => bare.apply({})).pointer).to.equal('/linux/resources/devices');
    expect(new ManagerV2({ ...record, unprivileged: true }).apply({})).to.deep.equal([]);
  });

  it('refuses a limit whose controller is missing', () => {
    const container = manager();
    container.create();
    const error = failure(() => container.apply({ unified: { 'absent.max': '1' } }));
    expect(error.message).to.contain('cannot set absent limit: container could not join or create cgroup');
    expect(error.pointer).to.equal('/linux/resources/unified/absent.max');
  });

  it('writes files that need no controller', () => {
    const container = manager();
    container.create();
    container.apply({ unified: { 'cgroup.max.depth': '3' } });
    expect(read('cgroup.max.depth')).to.equal('3');
  });

  it('does without what the kernel does not support here, where that is optional', () => {
    manager().create();
    const threads = `${record.paths[''] ?? ''}/threads`;
    mkdirSync(threads);
    writeFileSync(`${threads}/cgroup.type`, 'threaded');
    const write = { step: 'write', controller: '', file: 'cgroup.kill', value: '1', pointer: '' } as const;
    const execute = (more: object): unknown => writeLimits([{ ...write, ...more }], () => threads);
    expect(failure(() => execute({})).message).to.contain('EOPNOTSUPP');
    expect(execute({ optional: true })).to.deep.equal([]);
    const unused = { reads: '', message: 'of no use' };
    expect(execute({ unused })).to.deep.equal([{ severity: 'warning', pointer: '', reason: 'of no use' }]);
  });

  it('limits what the kernel can limit', function () {
    if (!isWhole) skip(this, 'cgroup v2 has no controllers here');
    const container = manager();
    container.create();
    const warnings = container.apply({
      memory: { limit: 67108864, swap: 134217728, reservation: 33554432, swappiness: 3 },
      cpu: { shares: 512, quota: 50000, period: 100000, burst: 10000, cpus: '0', mems: '0' },
      pids: { limit: 7 },
      unified: { 'memory.high': '50331648' },
    });
    expect(warnings.map(({ pointer }) => pointer)).to.deep.equal(['/linux/resources/memory/swappiness']);
    expect(read('memory.max')).to.equal('67108864');
    expect(read('memory.swap.max')).to.equal('67108864');
    expect(read('memory.low')).to.equal('33554432');
    expect(read('memory.high')).to.equal('50331648');
    expect(read('cpu.weight')).to.equal('59');
    expect(read('cpu.max')).to.equal('50000 100000');
    expect(read('cpu.max.burst')).to.equal('10000');
    expect(read('cpuset.cpus')).to.equal('0');
    expect(read('pids.max')).to.equal('7');
    new ManagerV2(record).update({ cpu: { period: 40000 } });
    expect(read('cpu.max')).to.equal('50000 40000');
    const error = failure(() => container.update({ cpu: { period: 1 } }));
    expect(error.pointer).to.equal('/linux/resources/cpu/period');
  });
});
