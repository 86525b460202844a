import { watchOom } from '../cgroup/oom.ts';
import type { OomWatch } from '../cgroup/oom.ts';
import { poll } from '../native/poll.ts';
import type { JsonValue } from '../config/json/write.ts';
import { writeJson } from '../config/json/write.ts';
import { withPidfd } from '../state/process.ts';
import type { StateRoot } from '../state/state-root.ts';
import { findMeasurable } from './container-stats.ts';
import type { Measurable } from './container-stats.ts';
import { statsData } from './stats-json.ts';

/** Gets one event, a line of JSON; false when nobody wants any more. */
export type Emit = (line: string) => boolean;

/** The use of resources of a container at this moment, as an event. Throws 'state' when it does not run. */
export function statsEvent(root: StateRoot, id: string): string {
  return statsLine(findMeasurable(root, id));
}

/**
 * Tells what happens to a container until it ends: its use of resources every `intervalMs`, and when it runs out
 * of memory. Throws 'state' when it does not run at the beginning.
 */
export function watchEvents(root: StateRoot, id: string, intervalMs: number, emit: Emit): void {
  const container = findMeasurable(root, id);
  withPidfd(container.init, (pidfd) => {
    // What the container has no cgroup for is refused before the first event, not after it.
    container.read();
    const oom = watchOom(container.cgroup);
    try {
      watch(container, pidfd, oom, intervalMs, emit);
    } finally {
      oom?.close();
    }
  });
}

/** poll(2) takes an int. */
const longestWait = 2 ** 31 - 1;

function watch(
  container: Measurable,
  pidfd: number,
  oom: OomWatch | undefined,
  intervalMs: number,
  emit: Emit,
): void {
  const { id } = container;
  const fds = oom === undefined ? [pidfd] : [pidfd, oom.fd];
  let due = performance.now() + intervalMs;
  for (;;) {
    const wait = Math.ceil(Math.min(Math.max(due - performance.now(), 0), longestWait));
    const [ended = false, outOfMemory = false] = poll(fds, wait);
    // The last thing a container does may be to run out of memory.
    if ((ended || outOfMemory) && oom?.take() === true && !emit(line({ type: 'oom', id }))) return;
    if (ended) return;
    if (performance.now() < due) continue;
    const stats = statsLine(container);
    // Of one that has ended meanwhile the cgroups may be gone: that is no event.
    if (poll([pidfd], 0)[0] === true) continue;
    if (!emit(stats)) return;
    due = Math.max(due + intervalMs, performance.now());
  }
}

function statsLine(container: Measurable): string {
  return line({ type: 'stats', id: container.id, data: statsData(container.read()) });
}

function line(event: JsonValue): string {
  return `${writeJson(event)}\n`;
}
