import { expect } from 'chai';
import { writeJson } from '../config/json/write.ts';
import type { ContainerStats } from './container-stats.ts';
import { statsData } from './stats-json.ts';
import { emptyStats } from './testing/empty-stats.ts';

describe('the data of a stats event', () => {
  const data = (changes: Partial<ContainerStats>): Record<string, unknown> =>
    JSON.parse(writeJson(statsData({ ...emptyStats, ...changes }))) as Record<string, unknown>;

  it('has a 0 only where runc prints it', () => {
    const { cpu, memory, pids, network_interfaces: interfaces } = data({});
    expect(cpu).to.deep.equal({ usage: { kernel: 0, user: 0 }, throttling: {} });
    expect(memory).to.deep.equal({
      usage: { limit: 0, failcnt: 0 },
      swap: { limit: 0, failcnt: 0 },
      kernel: { limit: 0, failcnt: 0 },
      kernelTCP: { limit: 0, failcnt: 0 },
    });
    expect(pids).to.deep.equal({});
    expect(interfaces).to.equal(null);
  });

  it('has the interfaces of a network namespace of its own', () => {
    const counters = { bytes: 1n, packets: 2n, errors: 3n, dropped: 4n };
    const network = [{ name: 'eth0', received: counters, sent: { ...counters, bytes: 5n } }];
    expect(data({ network })['network_interfaces']).to.deep.equal([
      {
        Name: 'eth0',
        RxBytes: 1,
        RxPackets: 2,
        RxErrors: 3,
        RxDropped: 4,
        TxBytes: 5,
        TxPackets: 2,
        TxErrors: 3,
        TxDropped: 4,
      },
    ]);
    expect(data({ network: [] })['network_interfaces']).to.equal(null);
  });

  it('has memory.stat sorted by name, and 64-bit numbers exactly', () => {
    const raw = new Map([
      ['file', 2n ** 63n + 1n],
      ['anon', 1n],
    ]);
    const text = writeJson(statsData({ ...emptyStats, memory: { ...emptyStats.memory, raw } }));
    expect(text).to.contain('"raw":{"anon":1,"file":9223372036854775809}');
  });

  it('has block I/O by device and operation', () => {
    const serviceBytes = [{ major: 8n, minor: 0n, op: 'Read', value: 5n }];
    const sectors = [{ major: 8n, minor: 16n, op: '', value: 0n }];
    expect(data({ blkio: { serviceBytes, sectors } })['blkio']).to.deep.equal({
      ioServiceBytesRecursive: [{ major: 8, op: 'Read', value: 5 }],
      sectorsRecursive: [{ major: 8, minor: 16 }],
    });
  });
});
