import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import { cgroupFile, needs } from './harness/cgroup-files.ts';
import { started } from './harness/inside.ts';
import { exitStatus } from './harness/processes.ts';
import type { Background } from './harness/run.ts';
import { scenario } from './harness/scenario.ts';
import { failed, type Scene, succeeded } from './harness/scene.ts';
import { until } from './harness/until.ts';

const MiB = 1024 * 1024;

interface Event {
  type: string;
  id: string;
  data?: Stats;
}

interface Stats {
  cpu: { usage: { total: number; percpu?: number[] }; throttling: { throttledPeriods?: number } };
  memory: { usage: { limit: number; usage?: number; failcnt: number }; raw: Record<string, number> };
  pids: { current?: number; limit?: number };
  network_interfaces: { Name: string; TxBytes: number }[] | null;
}

async function statsOf(scene: Scene, id: string): Promise<Stats> {
  const { stdout } = succeeded(await scene.tsrun(['events', '--stats', id]));
  expect(stdout).to.match(/^[^\n]+\n$/);
  const { type, id: of, data } = JSON.parse(stdout) as Event;
  expect([type, of]).to.deep.equal(['stats', id]);
  if (data === undefined) throw new Error('no data');
  return data;
}

function eventsOf(program: Background): Event[] {
  const lines = program.stdout().split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Event);
}

/** Runs out of memory again and again, and outlives it. */
const hungry = 'while :; do dd if=/dev/zero of=/dev/null bs=64M count=1 2>/dev/null; sleep 0.1; done';

/** Names of all properties, as paths. What is left out when it is 0 does not count. */
function shape(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [path];
  const entries = Object.entries(value).filter(
    ([name]) => !['max', 'usage', 'value', 'cache'].includes(name),
  );
  return entries.flatMap(([name, child]) => shape(child, `${path}/${name}`));
}

describe('events', () => {
  scenario(
    'statistics have the shape that runc gives them, and its values where they do not move',
    async (scene) => {
      const { id } = await started(scene, (config) => {
        config.linux.resources.memory = { limit: 64 * MiB };
        config.linux.resources.pids = { limit: 50 };
      });
      const theirs = scene.id();
      await scene.createWith('runc', theirs);
      succeeded(await scene.runc(['start', theirs]));
      // So that both have read a disk.
      for (const container of [id, theirs]) {
        const runtime = container === id ? 'tsrun' : 'runc';
        const args = [
          'exec',
          container,
          'sh',
          '-c',
          'dd if=/dev/zero of=/f bs=64k count=4 oflag=direct; true',
        ];
        succeeded(await scene[runtime](args));
      }
      const ours = succeeded(await scene.tsrun(['events', '--stats', id])).stdout;
      const other = succeeded(await scene.runc(['events', '--stats', theirs])).stdout;
      expect(shape(JSON.parse(ours))).to.deep.equal(shape(JSON.parse(other)));
      const [mine, runcs] = [ours, other].map((text) => {
        const { data } = JSON.parse(text) as { data: Record<string, unknown> & Stats };
        const { cpuset, hugetlb, intel_rdt, network_interfaces, memory, pids } = data;
        return { cpuset, hugetlb, intel_rdt, network_interfaces, limits: [memory.usage.limit, pids.limit] };
      });
      expect(mine).to.deep.equal(runcs);
      // An integer of 64 bits, digit by digit.
      expect(ours).to.contain('"limit":9223372036854771712');
    },
    needs('memory', 'memory.kmem.tcp.limit_in_bytes'),
  );

  scenario(
    'statistics count what a container does',
    async (scene) => {
      const { id, pid } = await started(scene, (config) => {
        config.process.args = ['sh', '-c', 'while :; do :; done & while :; do sleep 1; done'];
        config.linux.resources.cpu = { quota: 10_000, period: 50_000 };
      });
      const before = await statsOf(scene, id);
      await until('it to be throttled', () => /nr_throttled [2-9]/.test(cgroupFile(pid, 'cpu.stat')));
      const after = await statsOf(scene, id);
      expect(after.cpu.throttling.throttledPeriods).to.be.greaterThan(1);
      expect(after.cpu.usage.total).to.be.greaterThan(before.cpu.usage.total);
      const sum = (after.cpu.usage.percpu ?? []).reduce((all, one) => all + one, 0);
      expect(sum).to.be.closeTo(after.cpu.usage.total, after.cpu.usage.total / 10);
      expect(after.pids.current).to.be.at.least(2);
      expect(after.memory.raw['rss']).to.be.greaterThan(0);
    },
    needs('cpuacct', 'cpuacct.usage_percpu'),
  );

  scenario(
    'statistics have the network interfaces of the container, and no others',
    async (scene) => {
      const { id, pid } = await started(scene);
      expect((await statsOf(scene, id)).network_interfaces).to.equal(null);
      const pair = 'link add tsrun7 type veth peer name tsrun8'.split(' ');
      execFileSync('nsenter', ['-t', String(pid), '-n', 'ip', ...pair]);
      const interfaces = (await statsOf(scene, id)).network_interfaces ?? [];
      expect(interfaces.map(({ Name }) => Name)).to.have.members(['tsrun7', 'tsrun8']);
      expect(interfaces[0]).to.include({ TxBytes: 0, RxDropped: 0 });
      const shared = await started(scene, (config) => {
        config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== 'network');
      });
      expect((await statsOf(scene, shared.id)).network_interfaces).to.equal(null);
    },
    needs('memory'),
  );

  scenario(
    'statistics come at intervals, until the container ends',
    async (scene) => {
      const { id } = await started(scene);
      const program = scene.background(['events', '--interval', '50ms', id]);
      await until('three events', () => eventsOf(program).length >= 3);
      await scene.kill(id, 'KILL');
      expect(await program.ended).to.include({ status: 0 });
      for (const { type, id: of, data } of eventsOf(program)) {
        expect([type, of]).to.deep.equal(['stats', id]);
        expect(data?.pids.current).to.equal(1);
      }
      expect(program.stderr()).to.equal('');
    },
    needs('memory'),
  );

  scenario(
    'an oom event comes each time a container runs out of memory',
    async (scene) => {
      const { id } = await started(scene, (config) => {
        config.process.args = ['sh', '-c', hungry];
        config.linux.resources.memory = { limit: 16 * MiB, swap: 16 * MiB };
      });
      const program = scene.background(['events', '--interval', '1h', id]);
      await until('two events', () => eventsOf(program).length >= 2);
      await scene.delete(id, '--force');
      expect(await program.ended).to.include({ status: 0 });
      expect(eventsOf(program)).to.deep.include({ type: 'oom', id });
      expect(new Set(program.stdout().split('\n').slice(0, -1))).to.deep.equal(
        new Set([JSON.stringify({ type: 'oom', id })]),
      );
    },
    needs('memory', 'memory.limit_in_bytes'),
  );

  scenario(
    'an oom event comes before the end of a container that it kills',
    async (scene) => {
      const { id, shell } = await started(scene, (config) => {
        const eat = 'exec dd if=/dev/zero of=/dev/null bs=64M count=1';
        config.process.args = ['sh', '-c', `until test -e /go; do sleep 0.01; done; ${eat}`];
        config.linux.resources.memory = { limit: 16 * MiB, swap: 16 * MiB };
      });
      const program = scene.background(['events', '--interval', '20ms', id]);
      await until('an event', () => eventsOf(program).length > 0);
      await shell('touch /go');
      expect(await program.ended).to.include({ status: 0 });
      expect(eventsOf(program)).to.deep.include({ type: 'oom', id });
    },
    needs('memory', 'memory.limit_in_bytes'),
  );

  scenario(
    'no oom event comes of a removal, or of what was before',
    async (scene) => {
      const { id } = await started(scene, (config) => {
        config.linux.resources.memory = { limit: 16 * MiB, swap: 16 * MiB };
      });
      await scene.tsrun(['exec', id, 'dd', 'if=/dev/zero', 'of=/dev/null', 'bs=64M', 'count=1']);
      const program = scene.background(['events', '--interval', '20ms', id]);
      await until('an event', () => eventsOf(program).length > 0);
      await scene.delete(id, '--force');
      expect(await program.ended).to.include({ status: 0 });
      expect(eventsOf(program).filter(({ type }) => type !== 'stats')).to.deep.equal([]);
    },
    needs('memory', 'memory.limit_in_bytes'),
  );

  scenario(
    'events end when nobody reads them',
    async (scene) => {
      const { id } = await started(scene);
      const program = scene.background(['events', '--interval', '10ms', id]);
      await until('an event', () => eventsOf(program).length > 0);
      program.child.stdout?.destroy();
      expect(await program.ended).to.include({ status: 0 });
    },
    needs('memory'),
  );

  scenario('wrong intervals are refused', async (scene) => {
    const { id, pid } = await started(scene);
    for (const interval of ['0', '-1s', '5', 'x'])
      expect(failed(await scene.tsrun(['events', '--interval', interval, id])).stderr).to.match(/--interval/);
    expect(failed(await scene.tsrun(['events', scene.id()])).stderr).to.match(/does not exist/);
    await scene.kill(id, 'KILL');
    await exitStatus(pid);
    for (const flags of [['--stats'], []])
      expect(failed(await scene.tsrun(['events', ...flags, id])).stderr).to.match(/container not running/);
  });
});

describe('stats', () => {
  scenario(
    'stats prints a table and JSON of what containers use',
    async (scene) => {
      const busy = await started(scene, (config) => {
        config.process.args = ['sh', '-c', 'while :; do :; done'];
        config.linux.resources.pids = { limit: 50 };
      });
      const idle = await started(scene);
      const text = succeeded(await scene.tsrun(['stats', '--interval', '100ms'])).stdout.split('\n');
      expect(text[0]).to.match(/^ID +CPU +CPU TIME +MEMORY +LIMIT +NET RX \/ TX +BLOCK R \/ W +PIDS$/);
      expect(text[1]).to.match(new RegExp(`^${busy.id} .* 1 / 50$`));
      expect(text[2]).to.match(new RegExp(`^${idle.id} +0\\.\\d% .* 1$`));
      const json = succeeded(await scene.tsrun(['stats', '--format', 'json', busy.id])).stdout;
      const [only, ...others] = JSON.parse(json) as { id: string; cpuPercent: number; pidsLimit: number }[];
      expect(only).to.include({ id: busy.id, pidsLimit: 50, memoryLimit: null });
      expect(only?.cpuPercent).to.be.greaterThan(1);
      expect(others).to.deep.equal([]);
    },
    needs('cpuacct'),
  );

  scenario(
    'stats --stream ends with its containers; a container that has ended is refused',
    async (scene) => {
      const { id, pid } = await started(scene);
      const program = scene.background(['stats', '--stream', '--interval', '20ms', id]);
      await until('two tables', () => program.stdout().split(id).length > 2);
      await scene.kill(id, 'KILL');
      expect(await program.ended).to.include({ status: 0 });
      await exitStatus(pid);
      expect(failed(await scene.tsrun(['stats', id])).stderr).to.match(/container not running/);
      expect(succeeded(await scene.tsrun(['stats', '--format', 'json'])).stdout).to.equal('[]\n');
    },
    needs('memory'),
  );
});
