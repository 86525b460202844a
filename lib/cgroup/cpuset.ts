import { posix } from 'node:path';
import type { CpuResources } from '../config/types.ts';
import { readValue, writeValue } from './files.ts';

/**
 * Gives a container's v1 cpuset the parent's cpus and mems where the config sets none. An empty cpuset takes
 * no process and its children can have nothing, and a new one is empty; so are ancestors that something else
 * made, which are filled too. `isNew`: the cpuset is known to be empty.
 */
export function fillCpuset(directory: string, cpu: CpuResources, isNew: boolean): void {
  for (const [file, configured] of [
    ['cpuset.cpus', cpu.cpus],
    ['cpuset.mems', cpu.mems],
  ] as const) {
    const inherited = effective(posix.dirname(directory), file);
    if (configured !== undefined && configured !== '') continue;
    if (isNew || readValue(`${directory}/${file}`) === '') writeValue(`${directory}/${file}`, inherited);
  }
}

/** What the cpuset has, after giving it its parent's when it is empty. Ends at the root, which never is. */
function effective(directory: string, file: string): string {
  const present = readValue(`${directory}/${file}`);
  if (present !== '') return present;
  const inherited = effective(posix.dirname(directory), file);
  writeValue(`${directory}/${file}`, inherited);
  return inherited;
}
