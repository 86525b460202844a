import { type OomWatch, watchOom } from '../cgroup/oom-watch.ts';
import { longestPollMs, poll } from '../native/poll.ts';
import { type JsonValue, writeJson } from '../config/json/write.ts';
import { withPidfd } from '../state/process.ts';
import type { StateRoot } from '../state/state-root.ts';
import { findStatsSource, type StatsSource } from './container-stats.ts';
import { statsData } from './stats-json.ts';

/** Takes one event, a line of JSON. False when its reader has gone. */
export type Emit = (line: string) => boolean;

/**
 * The statistics of a container at this moment, as an event.
 *
 * @throws TsrunError as findStatsSource() does
 */
export function statsEvent(root: StateRoot, id: string): string {
  return statsLine(findStatsSource(root, id));
}

/**
 * Reports events of a container until it ends or `emit` returns false: its statistics every `intervalMs`
 * milliseconds, and when it runs out of memory.
 *
 * @throws TsrunError as findStatsSource() does
 */
export function watchEvents(root: StateRoot, id: string, intervalMs: number, emit: Emit): void {
  const container = findStatsSource(root, id);
  withPidfd(container.init, (pidfd) => {
    // Statistics that cannot be read are an error now, before the first event.
    container.read();
    const oom = watchOom(container.cgroup);
    try {
      watch(container, pidfd, oom, intervalMs, emit);
    } finally {
      oom?.close();
    }
  });
}

function watch(
  container: StatsSource,
  pidfd: number,
  oom: OomWatch | undefined,
  intervalMs: number,
  emit: Emit,
): void {
  const { id } = container;
  const fds = oom === undefined ? [pidfd] : [pidfd, oom.fd];
  let due = performance.now() + intervalMs;
  for (;;) {
    const wait = Math.ceil(Math.min(Math.max(due - performance.now(), 0), longestPollMs));
    const [ended = false, outOfMemory = false] = poll(fds, wait);
    // A container that has ended may have been killed for running out of memory.
    if ((ended || outOfMemory) && oom?.take() === true && !emit(line({ type: 'oom', id }))) return;
    if (ended) return;
    if (performance.now() < due) continue;
    const stats = statsLine(container);
    // The statistics of a container that has ended meanwhile are incomplete: its cgroups may be gone.
    if (poll([pidfd], 0)[0] === true) continue;
    if (!emit(stats)) return;
    due = Math.max(due + intervalMs, performance.now());
  }
}

function statsLine(container: StatsSource): string {
  return line({ type: 'stats', id: container.id, data: statsData(container.read()) });
}

function line(event: JsonValue): string {
  return `${writeJson(event)}\n`;
}
