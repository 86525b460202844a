import { expect } from 'chai';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TsrunError } from '../../core/error.ts';
import type { CgroupRecord } from '../record.ts';
import { hugePageSizes } from './files.ts';
import { parseBlkio, parseCounters, parseIoStat, parsePressure, parseRow, parseUsageAll } from './parse.ts';
import { readCgroupStats } from './cgroup-stats.ts';

describe('statistics of a container', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsrun-stats-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
  const record = (change: Partial<CgroupRecord>): CgroupRecord => ({
    driver: 'cgroupfs',
    version: 1,
    paths: {},
    shared: {},
    ...change,
  });

  it('come from the cgroups of its version', () => {
    mkdirSync(join(folder, 'pids'));
    writeFileSync(join(folder, 'pids', 'pids.current'), '3\n');
    writeFileSync(join(folder, 'pids.current'), '4\n');
    const first = readCgroupStats(record({ paths: { pids: join(folder, 'pids') } }));
    expect(first.pids.current).to.equal(3n);
    const second = readCgroupStats(record({ version: 2, paths: { '': folder } }));
    expect(second.pids.current).to.equal(4n);
    expect(second.cpuset).to.deep.include({ cpus: [], mems: [] });
    expect(new Set(Object.values(second.cpuset.numbers))).to.deep.equal(new Set([0n]));
  });

  it('are not there without cgroups', () => {
    expect(() => readCgroupStats(record({ driver: 'disabled' })))
      .to.throw(TsrunError, 'the container has no cgroup, so nobody counts what it uses')
      .with.property('code', 'unsupported');
    expect(() => readCgroupStats(record({ version: 2 })))
      .to.throw(TsrunError, 'the record of the cgroup has no cgroup v2 directory')
      .with.property('code', 'corrupt');
  });

  it('of huge pages are of the sizes there are files for, in their order', () => {
    for (const name of ['b.2MB.x', 'b.1GB.x', 'xb.3MB.x', 'b.4MB.xx', 'b..x'])
      writeFileSync(join(folder, name), '');
    expect(hugePageSizes(folder, /^b\.(\w+)\.x$/)).to.deep.equal(['1GB', '2MB']);
    expect(hugePageSizes(undefined, /x/)).to.deep.equal([]);
    expect(hugePageSizes(join(folder, 'gone'), /x/)).to.deep.equal([]);
    writeFileSync(join(folder, 'file'), '');
    expect(() => hugePageSizes(join(folder, 'file'), /x/)).to.throw(
      TsrunError,
      `list ${join(folder, 'file')}`,
    );
  });
});

describe('lines of statistics that are none', () => {
  it('are passed over', () => {
    expect([...parseCounters(' 5\na 1 2\nb 1x\nc -1\n')]).to.deep.equal([['c', -1n]]);
    expect(parseRow('1  x 2\t3')).to.deep.equal([1n, 2n, 3n]);
    expect(parseUsageAll(' cpu user system\n0 5 6\n1\n')).to.deep.equal({ user: [5n, 0n], kernel: [6n, 0n] });
    expect(parseUsageAll('user x\n5 6\n')).to.deep.equal({ user: [5n], kernel: [] });
    for (const line of [
      'x8:0 Read 1',
      '8:0 Read 1 x',
      '8:0 Read x',
      '8: Read 1',
      ':0 Read 1',
      '8:0',
      '8:0 R2 1',
    ]) {
      expect(parseBlkio(line), line).to.deep.equal([]);
    }
    expect(parseBlkio('253:17 Write 12')).to.deep.equal([
      { major: 253n, minor: 17n, op: 'Write', value: 12n },
    ]);
    for (const line of [
      'x8:0 rios=1',
      '8:0',
      '8:x rios=1',
      '8:0 rios',
      '8:0 rios=',
      '8:0 =1',
      '8:0 rios=1x',
    ]) {
      const { serviced, serviceBytes } = parseIoStat(line);
      expect([...serviced, ...serviceBytes], line).to.deep.equal([]);
    }
    expect(parseIoStat('253:17 wios=12').serviced).to.deep.equal([
      { major: 253n, minor: 17n, op: 'Write', value: 12n },
    ]);
    const { some, full } = parsePressure(
      'more avg10=1\nfull avg10=1.5 avg60=2 avg300=3.25 total=7\nsome total=-\n',
    );
    expect(full).to.deep.equal({ avg10: 1.5, avg60: 2, avg300: 3.25, total: 7n });
    expect(some).to.deep.equal({ avg10: 0, avg60: 0, avg300: 0, total: 0n });
  });
});
