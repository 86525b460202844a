import { expect } from 'chai';
import { TsrunError } from '../../../lib/core/error.ts';
import { declareLimits, limitFlags, readLimits } from './limit-flags.ts';

describe('the limits of update', () => {
  const read = (name: string, text: string): unknown => readLimits({ [name]: text })[0]?.value;

  it('the limits of update are these properties of linux.resources', () => {
    const properties = Object.fromEntries(
      Object.entries(limitFlags).map(([name, { at }]) => [name, at.join('.')]),
    );
    expect(properties).to.deep.equal({
      memory: 'memory.limit',
      'memory-reservation': 'memory.reservation',
      'memory-swap': 'memory.swap',
      'kernel-memory': 'memory.kernel',
      'kernel-memory-tcp': 'memory.kernelTCP',
      'cpu-period': 'cpu.period',
      'cpu-quota': 'cpu.quota',
      'cpu-burst': 'cpu.burst',
      'cpu-share': 'cpu.shares',
      'cpu-rt-period': 'cpu.realtimePeriod',
      'cpu-rt-runtime': 'cpu.realtimeRuntime',
      'cpu-idle': 'cpu.idle',
      'cpuset-cpus': 'cpu.cpus',
      'cpuset-mems': 'cpu.mems',
      'pids-limit': 'pids.limit',
      'blkio-weight': 'blockIO.weight',
    });
  });

  it('the limits of update are read in the order of help, with the flag that gave each', () => {
    expect(
      readLimits({ 'pids-limit': '5', memory: '1k', 'cpuset-cpus': '0-1', resources: 'x', tty: true }),
    ).to.deep.equal([
      { flag: '--memory', group: 'memory', name: 'limit', value: 1024 },
      { flag: '--cpuset-cpus', group: 'cpu', name: 'cpus', value: '0-1' },
      { flag: '--pids-limit', group: 'pids', name: 'limit', value: 5 },
    ]);
    expect(readLimits({ memory: '', 'pids-limit': undefined, 'cpu-idle': false })).to.deep.equal([]);
  });

  const bounds: Record<string, [inside: string[], outside: string[]]> = {
    'cpu-period': [
      ['0', '18446744073709551615'],
      ['-1', '18446744073709551616'],
    ],
    'cpu-burst': [
      ['0', '18446744073709551615'],
      ['-1', '18446744073709551616'],
    ],
    'cpu-share': [
      ['0', '18446744073709551615'],
      ['-1', '18446744073709551616'],
    ],
    'cpu-rt-period': [
      ['0', '18446744073709551615'],
      ['-1', '18446744073709551616'],
    ],
    'cpu-quota': [
      ['-9223372036854775807', '9223372036854775807'],
      ['9223372036854775808', '-9223372036854775808'],
    ],
    'cpu-rt-runtime': [['-1', '9223372036854775807'], ['9223372036854775808']],
    'pids-limit': [
      ['-1', '0', '9223372036854775807'],
      ['9223372036854775808', '1.5', ''],
    ],
    'cpu-idle': [
      ['0', '1'],
      ['2', '-1'],
    ],
    'blkio-weight': [
      ['0', '65535'],
      ['65536', '-1'],
    ],
  };
  for (const [name, [inside, outside]] of Object.entries(bounds)) {
    it(`--${name} has its bounds`, () => {
      for (const text of inside) expect(String(read(name, text))).to.equal(text);
      for (const text of outside.filter((word) => word !== '')) {
        expect(() => read(name, text)).to.throw(TsrunError, `--${name} "${text}": must be a whole number`);
      }
    });
  }

  it('the limits of memory are sizes', () => {
    for (const name of [
      'memory',
      'memory-reservation',
      'memory-swap',
      'kernel-memory',
      'kernel-memory-tcp',
    ]) {
      expect(read(name, '1.5g')).to.equal(1.5 * 1024 ** 3);
      expect(read(name, '-1')).to.equal(-1);
      expect(() => read(name, 'x')).to.throw(TsrunError, `--${name} "x": must be a size`);
    }
  });

  it('the limits of update are declared as flags with a text', () => {
    const declared = declareLimits();
    expect(Object.keys(declared)).to.deep.equal(Object.keys(limitFlags));
    expect(declared['cpu-idle']).to.deep.equal({
      kind: 'string',
      value: '0|1',
      help: '0 or 1; with 1 the container runs only when no other process wants the CPU',
    });
    expect(Object.keys(declared).filter((name) => declared[name]?.hidden === true)).to.deep.equal([
      'kernel-memory',
      'kernel-memory-tcp',
    ]);
  });
});
