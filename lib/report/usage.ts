import { TsrunError } from '../core/error.ts';
import type { StateRoot } from '../state/state-root.ts';
import { type ContainerStats, findStatsSource, type StatsSource } from './container-stats.ts';
import { listIds } from '../state/store.ts';

/** What a container uses, for people to read. Sizes in bytes. */
export interface Usage {
  id: string;
  /** In percent of one CPU, between two samples. */
  cpuPercent: number;
  /** In nanoseconds, since the container was created. */
  cpuTime: bigint;
  /** Without the file cache that the kernel can drop. */
  memory: bigint;
  memoryLimit: bigint | undefined;
  /** The sum of all interfaces; undefined in the network namespace of its caller. */
  network: { received: bigint; sent: bigint } | undefined;
  block: { read: bigint; written: bigint };
  pids: bigint;
  pidsLimit: bigint | undefined;
}

/** What a container had used at a moment. */
export interface Sample {
  container: StatsSource;
  stats: ContainerStats;
  /** The moment, in milliseconds of performance.now(). */
  at: number;
}

/**
 * Takes a first sample of these containers; without ids, of all that run.
 *
 * @throws TsrunError as findStatsSource() does for a container that is named
 */
export function firstSamples(root: StateRoot, ids: readonly string[]): Sample[] {
  if (ids.length > 0) return ids.map((id) => sample(findStatsSource(root, id)));
  return listIds(root.path).flatMap((id) => skipUnreadable(() => [sample(findStatsSource(root, id))]));
}

/** Takes the next sample of the containers that still run. */
export function nextSamples(root: StateRoot, samples: readonly Sample[]): Sample[] {
  return samples.flatMap(({ container: { id, init } }) =>
    skipUnreadable(() => {
      const container = findStatsSource(root, id);
      return container.init.pid === init.pid && container.init.startTime === init.startTime
        ? [sample(container)]
        : [];
    }),
  );
}

/** What the containers that are in both samples used between them. Pure. */
export function usagesBetween(before: readonly Sample[], after: readonly Sample[]): Usage[] {
  const firsts = new Map(before.map((first) => [first.container.id, first]));
  return after.flatMap((second) => {
    const first = firsts.get(second.container.id);
    return first === undefined ? [] : [usageBetween(first, second)];
  });
}

function sample(container: StatsSource): Sample {
  return { container, stats: container.read(), at: performance.now() };
}

/** Skips a container that has ended, was deleted, is broken or has no cgroup to read statistics from. */
function skipUnreadable(step: () => Sample[]): Sample[] {
  try {
    return step();
  } catch (error) {
    const skipped = ['not-found', 'state', 'unsupported', 'corrupt', 'untrusted'];
    if (error instanceof TsrunError && skipped.includes(error.code)) return [];
    throw error;
  }
}

/** Larger limits mean no limit (`max` of cgroup v2, a huge number on v1): no machine has that much memory. */
const noLimit = 1n << 62n;

function usageBetween(first: Sample, { container: { id }, stats, at }: Sample): Usage {
  const { cpu, memory, pids, network } = stats;
  const elapsed = (at - first.at) * 1e6;
  const { limit } = memory.usage;
  return {
    id,
    cpuPercent: elapsed <= 0 ? 0 : (Number(cpu.total - first.stats.cpu.total) / elapsed) * 100,
    cpuTime: cpu.total,
    memory: withoutCache(stats),
    memoryLimit: limit === 0n || limit > noLimit ? undefined : limit,
    network: network && {
      received: network.reduce((sum, { received }) => sum + received.bytes, 0n),
      sent: network.reduce((sum, { sent }) => sum + sent.bytes, 0n),
    },
    block: { read: transferred(stats, 'Read'), written: transferred(stats, 'Write') },
    pids: pids.current,
    pidsLimit: pids.limit === 0n ? undefined : pids.limit,
  };
}

function withoutCache({ memory: { usage, raw } }: ContainerStats): bigint {
  const inactive = raw.get('total_inactive_file') ?? raw.get('inactive_file') ?? 0n;
  return usage.usage > inactive ? usage.usage - inactive : 0n;
}

function transferred({ blkio }: ContainerStats, wanted: string): bigint {
  return (blkio.serviceBytes ?? []).reduce((sum, { op, value }) => (op === wanted ? sum + value : sum), 0n);
}
