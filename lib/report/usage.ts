import { TsrunError } from '../core/error.ts';
import type { StateRoot } from '../state/state-root.ts';
import { findMeasurable } from './container-stats.ts';
import type { ContainerStats, Measurable } from './container-stats.ts';
import { listIds } from '../state/store.ts';

/** What a container uses, for people to read. Sizes are in bytes. */
export interface Usage {
  id: string;
  /** Over the time between two samples; 100 is one CPU. */
  cpuPercent: number;
  /** Nanoseconds since its creation. */
  cpuTime: bigint;
  /** Without the file cache that the kernel would give up first. */
  memory: bigint;
  memoryLimit: bigint | undefined;
  /** All interfaces together; undefined in the network namespace of its caller. */
  network: { received: bigint; sent: bigint } | undefined;
  block: { read: bigint; written: bigint };
  pids: bigint;
  pidsLimit: bigint | undefined;
}

/** A container, what it had used at a moment, and the moment (performance.now). */
export interface Sample {
  container: Measurable;
  stats: ContainerStats;
  at: number;
}

/**
 * Takes a first sample of these containers. Without ids, of all that run. Throws for one that was named and does
 * not.
 */
export function firstSamples(root: StateRoot, ids: readonly string[]): Sample[] {
  if (ids.length > 0) return ids.map((id) => sample(findMeasurable(root, id)));
  return listIds(root.path).flatMap((id) => unlessGone(() => [sample(findMeasurable(root, id))]));
}

/** Takes the next sample of those that still run. */
export function nextSamples(root: StateRoot, samples: readonly Sample[]): Sample[] {
  return samples.flatMap(({ container: { id, init } }) =>
    unlessGone(() => {
      const container = findMeasurable(root, id);
      return container.init.pid === init.pid && container.init.startTime === init.startTime
        ? [sample(container)]
        : [];
    }),
  );
}

/** What the containers of the second sample used since the first, by id. */
export function usagesBetween(before: readonly Sample[], after: readonly Sample[]): Usage[] {
  const firsts = new Map(before.map((first) => [first.container.id, first]));
  return after.flatMap((second) => {
    const first = firsts.get(second.container.id);
    return first === undefined ? [] : [usageBetween(first, second)];
  });
}

function sample(container: Measurable): Sample {
  return { container, stats: container.read(), at: performance.now() };
}

/** Containers end and are deleted at any moment, and some have no cgroup to be measured by. */
function unlessGone(step: () => Sample[]): Sample[] {
  try {
    return step();
  } catch (error) {
    const passes = ['not-found', 'state', 'unsupported', 'corrupt', 'untrusted'];
    if (error instanceof TsrunError && passes.includes(error.code)) return [];
    throw error;
  }
}

/** No machine has that much: what cgroup v1 and v2 say for no limit is beyond it. */
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
