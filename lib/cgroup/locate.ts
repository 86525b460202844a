import type { CgroupRecord } from './record.ts';

/** The container's directory for a controller of cgroup v1, or in v2 for ''; undefined when it has none. */
export function directoryIn({ paths, shared }: CgroupRecord, controller: string): string | undefined {
  return paths[shared[controller] ?? controller];
}
