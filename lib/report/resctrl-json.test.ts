import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { readResctrlStats } from '../resctrl/stats.ts';
import { writeJson } from '../config/json/write.ts';
import { resctrlData } from './resctrl-json.ts';

/** Hardly any machine has resctrl: a tree of plain files with what the kernel says in them. */
describe('intel_rdt of a stats event', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'tsrun-resctrl-'));
    write({
      schemata: '    MB:0=100;1=100\n    L3:0=fffff;1=fffff\n',
      'c1/schemata': '    MB:0= 20;1= 70\n    L3:0=0000f;1=000f0\n',
    });
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  function write(files: Record<string, string>): void {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), text);
    }
  }

  const divides = {
    'info/L3/cbm_mask': 'fffff\n',
    'info/L3/min_cbm_bits': '1\n',
    'info/L3/num_closids': '16\n',
    'info/MB/bandwidth_gran': '10\n',
    'info/MB/delay_linear': '0\n',
    'info/MB/min_bandwidth': '10\n',
    'info/MB/num_closids': '8\n',
  };
  const counts = { 'info/L3_MON/mon_features': 'llc_occupancy\nmbm_total_bytes\nmbm_local_bytes\n' };

  /** The counters of two caches, from `first` on. */
  const counters = (folder: string, first: number): Record<string, string> =>
    Object.fromEntries(
      ['00', '01'].flatMap((cache, index) =>
        ['llc_occupancy', 'mbm_total_bytes', 'mbm_local_bytes'].map((name, place) => [
          `${folder}/mon_data/mon_L3_${cache}/${name}`,
          `${first + 10 * index + place}\n`,
        ]),
      ),
    );

  const printed = (monitor?: string): unknown => {
    const record = { directory: join(root, 'c1'), ownsClass: true };
    const stats = readResctrlStats(
      root,
      monitor === undefined ? record : { ...record, monitor: join(root, monitor) },
    );
    return JSON.parse(writeJson(resctrlData(stats)));
  };

  it('has the names of runc, in its order', () => {
    write({ ...divides, ...counts, ...counters('c1', 100) });
    expect(JSON.stringify(printed())).to.equal(
      JSON.stringify({
        l3_cache_info: { cbm_mask: 'fffff', min_cbm_bits: 1, num_closids: 16 },
        l3_cache_schema_root: 'L3:0=fffff;1=fffff',
        l3_cache_schema: 'L3:0=0000f;1=000f0',
        mem_bw_info: { bandwidth_gran: 10, min_bandwidth: 10, num_closids: 8 },
        mem_bw_schema_root: 'MB:0=100;1=100',
        mem_bw_schema: 'MB:0= 20;1= 70',
        schemata: ['MB:0= 20;1= 70', 'L3:0=0000f;1=000f0'],
        mbm_stats: [
          { mbm_total_bytes: 101, mbm_local_bytes: 102 },
          { mbm_total_bytes: 111, mbm_local_bytes: 112 },
        ],
        cmt_stats: [{ llc_occupancy: 100 }, { llc_occupancy: 110 }],
      }),
    );
  });

  it('has the counters of its own monitoring group', () => {
    const group = 'c1/mon_groups/c1';
    write({ ...counts, ...counters('c1', 100), ...counters(group, 500) });
    expect(printed(group)).to.deep.include({ cmt_stats: [{ llc_occupancy: 500 }, { llc_occupancy: 510 }] });
  });

  it('has what the processor has, and nothing else', () => {
    expect(printed()).to.have.all.keys('schemata');
    write({ 'info/L3_MON/mon_features': 'mbm_total_bytes\n', ...counters('c1', 100) });
    write({ 'c1/mon_data/mon_L3_01/mbm_total_bytes': 'Unavailable\n', 'c1/mon_data/mon_PERF_PKG_00/x': '1' });
    expect(printed()).to.have.all.keys('schemata', 'mbm_stats');
    expect(printed()).to.deep.include({
      mbm_stats: [
        { mbm_total_bytes: 100 + 1, mbm_local_bytes: 0 },
        { mbm_total_bytes: 0, mbm_local_bytes: 0 },
      ],
    });
  });

  it('is empty without a class, or when it is gone', () => {
    expect(resctrlData(undefined)).to.deep.equal({});
    rmSync(join(root, 'c1'), { recursive: true });
    expect(printed()).to.deep.equal({});
  });
});
