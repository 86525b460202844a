import { systemError } from '../core/error.ts';
import { native } from './library.ts';
import type { Native } from './library.ts';

const watchNative: Native<[string]> = native('int tsrun_watch_file(const char *)');
const oomNative: Native<[string]> = native('int tsrun_oom_eventfd(const char *)');

/** A descriptor to poll and drain (inotify(7)) that is readable when the file has been modified. */
export function watchFile(path: string): number {
  const fd = watchNative(path);
  if (fd < 0) throw systemError(`watch ${path}`, fd);
  return fd;
}

/**
 * A descriptor to poll and drain (eventfd(2)) that is readable when a memory cgroup of v1 has run out of memory,
 * or has been removed.
 */
export function oomEventfd(cgroup: string): number {
  const fd = oomNative(cgroup);
  if (fd < 0) throw systemError(`be told when ${cgroup} runs out of memory`, fd);
  return fd;
}
