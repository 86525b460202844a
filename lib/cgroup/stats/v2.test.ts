import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unlimited } from './parse.ts';
import { readStatsV2 } from './v2.ts';

/** What the files of a container's cgroup say, as Linux 6.1 writes them. */
const files: Readonly<Record<string, string>> = {
  'cpu.stat':
    'usage_usec 5000\nuser_usec 3000\nsystem_usec 2000\nnr_periods 10\nnr_throttled 4\nthrottled_usec 70\n',
  'cpu.pressure': 'some avg10=0.00 avg60=0.00 avg300=0.00 total=9\n',
  'memory.stat': 'anon 100\nfile 4096\ninactive_file 512\n',
  'memory.current': '8192\n',
  'memory.max': '65536\n',
  'memory.peak': '9000\n',
  'memory.swap.current': '1000\n',
  'memory.swap.max': '4000\n',
  'pids.current': '3\n',
  'pids.max': 'max\n',
  'io.stat': '8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n',
  'hugetlb.2MB.current': '7\n',
  'hugetlb.2MB.rsvd.current': '2097152\n',
  'hugetlb.2MB.events': 'max 5\n',
};

describe('statistics of cgroup v2', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsrun-stats-'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('are told in the terms of v1: nanoseconds, memory and swap together', () => {
    const { cpu, memory, pids, hugetlb, blkio } = readStatsV2(folder);
    expect(cpu).to.include({ total: 5_000_000n, user: 3_000_000n, kernel: 2_000_000n });
    expect(cpu).to.include({ periods: 10n, throttledPeriods: 4n, throttledTime: 70_000n });
    expect(cpu.psi?.some.total).to.equal(9n);
    expect(memory.cache).to.equal(4096n);
    expect(memory.usage).to.deep.equal({ usage: 8192n, limit: 65_536n, max: 9000n, failcnt: 0n });
    expect(memory.swap).to.deep.equal({ usage: 9192n, limit: 69_536n, max: 0n, failcnt: 0n });
    expect(memory.raw.get('inactive_file')).to.equal(512n);
    expect(memory.psi).to.equal(undefined);
    expect(pids).to.deep.equal({ current: 3n, limit: 0n });
    expect(hugetlb).to.deep.equal({ '2MB': { usage: 2_097_152n, max: 0n, failcnt: 5n } });
    expect(blkio.serviced?.map(({ op, value }) => [op, value])).to.deep.equal([
      ['Read', 3n],
      ['Write', 4n],
    ]);
  });

  it('without a limit of memory or of swap there is none of both', () => {
    writeFileSync(join(folder, 'memory.swap.max'), 'max\n');
    expect(readStatsV2(folder).memory.swap.limit).to.equal(unlimited);
    writeFileSync(join(folder, 'memory.max'), 'max\n');
    writeFileSync(join(folder, 'memory.swap.max'), '0\n');
    expect(readStatsV2(folder).memory.swap.limit).to.equal(unlimited);
  });

  it('of a cgroup that has gone count nothing', () => {
    const { cpu, memory, pids, hugetlb, blkio } = readStatsV2(join(folder, 'gone'));
    expect([cpu.total, memory.usage.usage, pids.current]).to.deep.equal([0n, 0n, 0n]);
    expect(hugetlb).to.deep.equal({});
    expect(blkio.serviced).to.deep.equal([]);
  });
});
