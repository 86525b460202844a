import { expect } from 'chai';
import {
  parseBlkio,
  parseCounter,
  parseCounters,
  parseIoStat,
  parsePressure,
  parseRow,
  parseUsageAll,
  unlimited,
} from './parse.ts';

describe('statistics of cgroups', () => {
  it('reads one number, which may be beyond those of JavaScript, or max', () => {
    expect(parseCounter('4096\n')).to.equal(4096n);
    expect(parseCounter('9223372036854771712\n')).to.equal(9_223_372_036_854_771_712n);
    expect(parseCounter('-1\n')).to.equal(-1n);
    expect(parseCounter('max\n')).to.equal(unlimited);
    for (const text of ['', 'min', '1 2', '0x10']) expect(parseCounter(text), text).to.equal(undefined);
  });

  it('reads named numbers, and passes over what is none', () => {
    const counters = parseCounters(
      'cache 4096\nrss 0\nnew thing 3\nodd 1.5\n\npgfault 18446744073709551615\n',
    );
    expect([...counters]).to.deep.equal([
      ['cache', 4096n],
      ['rss', 0n],
      ['pgfault', unlimited],
    ]);
  });

  it('reads rows and the table of CPUs', () => {
    expect(parseRow('7439656 0 12 \n')).to.deep.equal([7_439_656n, 0n, 12n]);
    expect(parseRow('')).to.deep.equal([]);
    const text = 'cpu user system\n0 1000000 8000000\n1 0 5\n';
    expect(parseUsageAll(text)).to.deep.equal({ user: [1_000_000n, 0n], kernel: [8_000_000n, 5n] });
    expect(parseUsageAll('')).to.deep.equal({ user: [], kernel: [] });
  });

  it('reads block I/O of v1', () => {
    expect(parseBlkio('8:0 Read 4096\n8:16 77\n259:1 Async 0\nTotal 4096\n')).to.deep.equal([
      { major: 8n, minor: 0n, op: 'Read', value: 4096n },
      { major: 8n, minor: 16n, op: '', value: 77n },
      { major: 259n, minor: 1n, op: 'Async', value: 0n },
    ]);
    expect(parseBlkio('Total 0\n')).to.deep.equal([]);
  });

  it('reads block I/O of v2 into the tables of v1', () => {
    const text =
      '8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n7:1 \n259:0 rbytes=1 toString=5 wios=x\n';
    const device = { major: 8n, minor: 0n };
    expect(parseIoStat(text)).to.deep.equal({
      serviceBytes: [
        { ...device, op: 'Read', value: 4096n },
        { ...device, op: 'Write', value: 8192n },
        { major: 259n, minor: 0n, op: 'Read', value: 1n },
      ],
      serviced: [
        { ...device, op: 'Read', value: 1n },
        { ...device, op: 'Write', value: 2n },
      ],
    });
  });

  it('reads pressure, of CPUs on kernels without a line of full, too', () => {
    const none = { avg10: 0, avg60: 0, avg300: 0, total: 0n };
    const some = { avg10: 1.25, avg60: 0.5, avg300: 0, total: 123_456n };
    const line = 'some avg10=1.25 avg60=0.50 avg300=0.00 total=123456\n';
    expect(parsePressure(line)).to.deep.equal({ some, full: none });
    expect(parsePressure(`${line}full avg10=1.25 avg60=0.50 avg300=0.00 total=123456\n`)).to.deep.equal({
      some,
      full: some,
    });
    expect(parsePressure('some avg10=x total=-\n')).to.deep.equal({ some: none, full: none });
  });
});
