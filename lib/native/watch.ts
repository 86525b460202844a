import { call, checked } from './library.ts';

/**
 * Returns a descriptor to poll and drain (inotify(7)) that is readable after the file was modified.
 *
 * @throws TsrunError 'system'
 */
export function watchFile(path: string): number {
  return checked(`watch ${path}`, call('tsrun_watch_file', path));
}

/**
 * Returns a descriptor to poll and drain (eventfd(2)) that is readable after the memory cgroup of v1 has run out of
 * memory, or has been removed.
 *
 * @throws TsrunError 'system'
 */
export function oomEventfd(cgroup: string): number {
  return checked(`be told when ${cgroup} runs out of memory`, call('tsrun_oom_eventfd', cgroup));
}
