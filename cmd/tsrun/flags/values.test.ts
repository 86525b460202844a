import { expect } from 'chai';
import { TsrunError } from '../../../lib/core/error.ts';
import {
  parseAddress,
  parseDuration,
  parseId,
  parseInteger,
  parseSize,
  parseSubCgroups,
  parseUser,
} from './values.ts';

function refusal(step: () => unknown): string {
  try {
    step();
  } catch (error) {
    if (error instanceof TsrunError && error.code === 'usage') return error.message;
    throw error;
  }
  throw new Error('it was taken');
}

describe('quantities of a command line', () => {
  it('reads sizes with their units', () => {
    const sizes: [string, number | bigint][] = [
      ['0', 0],
      ['4096', 4096],
      ['4096b', 4096],
      ['1k', 1024],
      ['1K', 1024],
      ['64 kB', 65_536],
      ['512m', 536_870_912],
      ['512MiB', 536_870_912],
      ['1.5g', 1_610_612_736],
      ['0.5k', 512],
      ['2t', 2_199_023_255_552],
      ['1p', 1_125_899_906_842_624],
      ['9223372036854775807', 9_223_372_036_854_775_807n],
      ['-1', -1],
    ];
    for (const [text, bytes] of sizes) expect(parseSize('--memory', text), text).to.equal(bytes);
  });

  it('names the flag of what is no size', () => {
    for (const text of ['', 'x', '-2', '1e3', '0x10', '1q', '1..5k', '.5k', '1  k', '5 %', ' 1', '１']) {
      expect(
        refusal(() => parseSize('--memory', text)),
        text,
      ).to.contain('--memory');
    }
    for (const text of ['9000p', '9223372036854775808', '8192p', '9007199254740992k']) {
      expect(
        refusal(() => parseSize('--memory', text)),
        text,
      ).to.contain('2^63-1');
    }
    expect(parseSize('--memory', '8191p')).to.equal(8191n << 50n);
  });

  it('reads integers exactly, within their bounds', () => {
    const bounds = [-1n, (1n << 64n) - 1n] as const;
    expect(parseInteger('-x', '-1', bounds)).to.equal(-1);
    expect(parseInteger('-x', '+7', bounds)).to.equal(7);
    expect(parseInteger('-x', '18446744073709551615', bounds)).to.equal(18_446_744_073_709_551_615n);
    for (const text of ['-2', '18446744073709551616', '1.5', '', '1k', 'NaN', '9'.repeat(41)]) {
      expect(
        refusal(() => parseInteger('--cpu-period', text, bounds)),
        text,
      ).to.contain('--cpu-period');
    }
  });
});

describe('durations', () => {
  it('parseDuration reads durations as Go programs write them', () => {
    const durations: [string, number][] = [
      ['5s', 5000],
      ['5.0s', 5000],
      ['500ms', 500],
      ['1m30s', 90_000],
      ['1h', 3_600_000],
      ['.5s', 500],
      ['2.s', 2000],
      ['+1s', 1000],
      ['1500us', 1.5],
      ['1500µs', 1.5],
      ['1000000ns', 1],
      ['5m0s', 300_000],
    ];
    for (const [text, milliseconds] of durations)
      expect(parseDuration('--interval', text), text).to.equal(milliseconds);
  });

  it('parseDuration wants a unit and more than 0', () => {
    for (const text of ['', '5', 's', '0', '0s', '-5s', '5 s', '5x', '1s2', '1e3s', '1d', '++1s']) {
      const read = (): number => parseDuration('--interval', text);
      expect(read, text).to.throw(TsrunError, /--interval.*greater than 0/);
    }
  });
});

describe('users of a command line', () => {
  it('reads UID and UID:GID', () => {
    expect(parseUser('--user', '1')).to.deep.equal({ uid: 1 });
    expect(parseUser('--user', '1000:50')).to.deep.equal({ uid: 1000, gid: 50 });
    expect(parseUser('--user', '0:4294967294')).to.deep.equal({ uid: 0, gid: 4_294_967_294 });
  });

  it('refuses a name, a range and the id that means "do not change"', () => {
    for (const text of [
      '',
      '1:',
      ':1',
      'abc',
      '-1',
      '1:x',
      '4294967295',
      '1:4294967295',
      '0x1',
      '1.0',
      '1:2:3',
    ]) {
      expect(
        refusal(() => parseUser('--user', text)),
        text,
      ).to.contain('--user');
    }
    expect(refusal(() => parseId('--additional-gids', '4294967295'))).to.equal(
      '--additional-gids "4294967295": must be a number from 0 to 4294967294',
    );
  });
});

describe('sub cgroups of a command line', () => {
  const read = (...values: string[]): object => Object.fromEntries(parseSubCgroups('--cgroup', values));

  it('reads one path for all hierarchies, or one for each of some controllers', () => {
    expect(read()).to.deep.equal({});
    expect(read('sub/a')).to.deep.equal({ '': 'sub/a' });
    expect(read('cpu,cpuacct:a', 'pids:b:c')).to.deep.equal({ cpu: 'a', cpuacct: 'a', pids: 'b:c' });
  });

  it('refuses what names no controller, one twice, or an impossible path', () => {
    const refusals: [string[], string][] = [
      [['a', 'b'], '--cgroup "a": needs a prefix CONTROLLER: when --cgroup is given more than once'],
      [[':a'], '--cgroup ":a": the name of a controller is empty'],
      [['cpu,:a'], '--cgroup "cpu,:a": the name of a controller is empty'],
      [['cpu:a', 'cpu:b'], '--cgroup "cpu:b": the controller cpu is named twice'],
      [['a\nb'], '--cgroup "a\\nb": the path has a NUL or a line break in it'],
    ];
    for (const [values, message] of refusals) expect(refusal(() => read(...values))).to.equal(message);
  });
});

describe('addresses of a command line', () => {
  it('reads a host or an address, and a port', () => {
    expect(parseAddress('--page-server', 'host:1')).to.deep.equal({ address: 'host', port: 1 });
    expect(parseAddress('--page-server', '[::1]:65535')).to.deep.equal({ address: '::1', port: 65_535 });
  });

  it('refuses a missing or impossible port', () => {
    for (const text of ['host', 'host:', ':1', 'host:65536', 'host:x']) {
      expect(
        refusal(() => parseAddress('--page-server', text)),
        text,
      ).to.contain('must be ADDRESS:PORT');
    }
  });
});
