import { expect } from 'chai';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpusetNumbers } from './types.ts';
import { readStatsV1 } from './v1.ts';

/** What the files of a container's cgroups say, by controller. */
const files: Readonly<Record<string, string>> = {
  'cpuacct/cpuacct.usage': '123456789\n',
  'cpuacct/cpuacct.stat': 'user 7\nsystem 5\n',
  'cpuacct/cpuacct.usage_percpu': '100 23 \n',
  'cpuacct/cpuacct.usage_all': 'cpu user system\n0 60 40\n1 20 3\n',
  'cpu/cpu.stat': 'nr_periods 10\nnr_throttled 4\nthrottled_time 70\n',
  'cpuset/cpuset.cpus': '0-2,5\n',
  'cpuset/cpuset.mems': '1\n',
  ...Object.fromEntries(cpusetNumbers.map((name, i) => [`cpuset/cpuset.${name}`, `${i + 10}\n`])),
  'memory/memory.stat': 'cache 4096\nrss 100\n',
  ...Object.fromEntries(
    ['', '.memsw', '.kmem', '.kmem.tcp'].flatMap((part, i) => [
      [`memory/memory${part}.limit_in_bytes`, `${i}1\n`],
      [`memory/memory${part}.usage_in_bytes`, `${i}2\n`],
      [`memory/memory${part}.max_usage_in_bytes`, `${i}3\n`],
      [`memory/memory${part}.failcnt`, `${i}4\n`],
    ]),
  ),
  'pids/pids.current': '3\n',
  'pids/pids.max': '20\n',
  'hugetlb/hugetlb.2MB.usage_in_bytes': '1\n',
  'hugetlb/hugetlb.2MB.max_usage_in_bytes': '2\n',
  'hugetlb/hugetlb.2MB.failcnt': '3\n',
  'hugetlb/hugetlb.1GB.usage_in_bytes': '4\n',
  'hugetlb/hugetlb.1GB.rsvd.usage_in_bytes': '5\n',
  'hugetlb/hugetlb.1GB.rsvd.max_usage_in_bytes': '6\n',
  'hugetlb/hugetlb.1GB.rsvd.failcnt': '7\n',
};

describe('statistics of cgroup v1', () => {
  let folder: string;
  const put = (name: string, text: string): void => {
    writeFileSync(join(folder, name), text);
  };
  const read = (): ReturnType<typeof readStatsV1> => readStatsV1((controller) => join(folder, controller));

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsrun-stats-'));
    for (const name of ['cpuacct', 'cpu', 'cpuset', 'memory', 'pids', 'blkio', 'hugetlb']) {
      mkdirSync(join(folder, name));
    }
    for (const [name, text] of Object.entries(files)) put(name, text);
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('are what the files of each controller say', () => {
    expect(read()).to.deep.equal({
      cpu: {
        total: 123_456_789n,
        kernel: 50_000_000n,
        user: 70_000_000n,
        percpu: [100n, 23n],
        percpuKernel: [40n, 3n],
        percpuUser: [60n, 20n],
        periods: 10n,
        throttledPeriods: 4n,
        throttledTime: 70n,
      },
      cpuset: {
        cpus: [0, 1, 2, 5],
        mems: [1],
        numbers: {
          cpu_exclusive: 10n,
          mem_hardwall: 11n,
          mem_exclusive: 12n,
          memory_migrate: 13n,
          memory_spread_page: 14n,
          memory_spread_slab: 15n,
          memory_pressure: 16n,
          sched_load_balance: 17n,
          sched_relax_domain_level: 18n,
        },
      },
      memory: {
        cache: 4096n,
        usage: { limit: 1n, usage: 2n, max: 3n, failcnt: 4n },
        swap: { limit: 11n, usage: 12n, max: 13n, failcnt: 14n },
        kernel: { limit: 21n, usage: 22n, max: 23n, failcnt: 24n },
        kernelTCP: { limit: 31n, usage: 32n, max: 33n, failcnt: 34n },
        raw: new Map([
          ['cache', 4096n],
          ['rss', 100n],
        ]),
      },
      pids: { current: 3n, limit: 20n },
      blkio: {},
      hugetlb: {
        // Reservations where the kernel counts them.
        '1GB': { usage: 5n, max: 6n, failcnt: 7n },
        '2MB': { usage: 1n, max: 2n, failcnt: 3n },
      },
    });
  });

  it('of block I/O are those of the scheduler in use', () => {
    const tables = {
      sectors: 'sectors_recursive',
      serviceTime: 'io_service_time_recursive',
      waitTime: 'io_wait_time_recursive',
      merged: 'io_merged_recursive',
      queued: 'io_queued_recursive',
      time: 'time_recursive',
      serviced: 'io_serviced_recursive',
      serviceBytes: 'io_service_bytes_recursive',
    };
    const entry = (value: number): object[] => [{ major: 8n, minor: 0n, op: '', value: BigInt(value) }];
    const fill = (prefix: string, names: readonly string[], first: number): void => {
      names.forEach((name, i) => {
        put(`blkio/blkio.${prefix}${name}`, `8:0 ${first + i}\nTotal 1\n`);
      });
    };
    const all = (first: number): object =>
      Object.fromEntries(Object.keys(tables).map((table, i) => [table, entry(first + i)]));
    // From the last resort to what is best: each is taken before those that were there already.
    fill('throttle.', ['io_serviced', 'io_service_bytes'], 10);
    expect(read().blkio).to.deep.equal({ serviced: entry(10), serviceBytes: entry(11) });
    fill('throttle.', ['io_serviced_recursive', 'io_service_bytes_recursive'], 20);
    expect(read().blkio).to.deep.equal({ serviced: entry(20), serviceBytes: entry(21) });
    fill('', Object.values(tables), 30);
    expect(read().blkio).to.deep.equal(all(30));
    for (const name of Object.values(tables)) put(`blkio/blkio.bfq.${name}`, 'Total 0\n');
    expect(read().blkio).to.deep.equal(all(30));
    fill('bfq.', Object.values(tables), 40);
    expect(read().blkio).to.deep.equal(all(40));
  });

  it('of controllers the container has no cgroup of count nothing', () => {
    const none = readStatsV1(() => undefined);
    expect(none.cpu).to.deep.include({ total: 0n, user: 0n, kernel: 0n, percpu: [], periods: 0n });
    expect(none.cpu).to.include({ throttledPeriods: 0n, throttledTime: 0n });
    expect(none.cpuset).to.deep.include({ cpus: [], mems: [] });
    expect(none.memory.cache).to.equal(0n);
    expect(none).to.deep.include({ pids: { current: 0n, limit: 0n }, blkio: {}, hugetlb: {} });
    put('pids/pids.max', 'max\n');
    expect(read().pids).to.deep.equal({ current: 3n, limit: 0n });
  });
});
