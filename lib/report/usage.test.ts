import { expect } from 'chai';
import type { ContainerStats, StatsSource } from './container-stats.ts';
import { type Sample, usagesBetween } from './usage.ts';
import { emptyMemoryEntry, emptyStats } from './testing/empty-stats.ts';

function sample(id: string, at: number, cpu: bigint, memory: Partial<ContainerStats['memory']> = {}): Sample {
  const stats: ContainerStats = {
    ...emptyStats,
    cpu: { ...emptyStats.cpu, total: cpu },
    memory: { ...emptyStats.memory, ...memory },
    pids: { current: 2n, limit: 0n },
    blkio: {
      serviceBytes: [
        { major: 8n, minor: 0n, op: 'Read', value: 5n },
        { major: 9n, minor: 0n, op: 'Read', value: 6n },
        { major: 8n, minor: 0n, op: 'Write', value: 7n },
        { major: 8n, minor: 0n, op: 'Total', value: 12n },
      ],
    },
  };
  return { container: { id } as StatsSource, stats, at };
}

describe('the use of resources between two samples', () => {
  it('has the CPU time in percent of one CPU', () => {
    const [usage] = usagesBetween([sample('a', 1000, 0n)], [sample('a', 1500, 750_000_000n)]);
    expect(usage).to.include({ id: 'a', cpuPercent: 150, cpuTime: 750_000_000n });
    expect(usage?.block).to.deep.equal({ read: 11n, written: 7n });
  });

  it('has memory without the inactive file cache, and no limit beyond any machine', () => {
    const usageOf = (memory: Partial<ContainerStats['memory']>): (bigint | undefined)[] => {
      const [usage] = usagesBetween([sample('a', 0, 0n)], [sample('a', 1, 0n, memory)]);
      return [usage?.memory, usage?.memoryLimit];
    };
    const usage = { ...emptyMemoryEntry, usage: 100n, limit: 4096n };
    expect(usageOf({ usage, raw: new Map([['inactive_file', 30n]]) })).to.deep.equal([70n, 4096n]);
    expect(
      usageOf({
        usage: { ...usage, limit: 9_223_372_036_854_771_712n },
        raw: new Map([
          ['inactive_file', 1n],
          ['total_inactive_file', 101n],
        ]),
      }),
    ).to.deep.equal([0n, undefined]);
  });

  it('leaves out a container that is in one sample only', () => {
    expect(usagesBetween([sample('a', 0, 0n)], [sample('b', 1, 0n)])).to.deep.equal([]);
  });
});
