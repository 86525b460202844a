import { posix } from 'node:path';
import type { CpuResources } from '../config/types.ts';
import { cgroupWrite, type CgroupWrite } from './cgroup-write.ts';
import { readValue, writeValue } from './files.ts';

/** cpuset.cpus and cpuset.mems. On v1 they must be written before the first process joins: see fillCpuset. */
export function cpusetSteps({ cpus = '', mems = '' }: CpuResources): CgroupWrite[] {
  return [
    ...(cpus === '' ? [] : [cgroupWrite('cpuset.cpus', cpus, 'cpu', 'cpus')]),
    ...(mems === '' ? [] : [cgroupWrite('cpuset.mems', mems, 'cpu', 'mems')]),
  ];
}

/**
 * Gives a container's v1 cpuset the parent's cpus and mems where the config sets none. On v1 a new cpuset is empty, and
 * then takes no process and gives its children nothing. Ancestors that are empty are filled, too. `isNew`: the
 * container's cpuset is known to be empty.
 */
export function fillCpuset(directory: string, cpu: CpuResources, isNew: boolean): void {
  for (const [file, configured] of [
    ['cpuset.cpus', cpu.cpus],
    ['cpuset.mems', cpu.mems],
  ] as const) {
    const inherited = fillFromParent(posix.dirname(directory), file);
    if (configured !== undefined && configured !== '') continue;
    if (isNew || readValue(`${directory}/${file}`) === '') writeValue(`${directory}/${file}`, inherited);
  }
}

/** What the cpuset has, after giving it its parent's when it is empty. The root is never empty. */
function fillFromParent(directory: string, file: string): string {
  const present = readValue(`${directory}/${file}`);
  if (present !== '') return present;
  const inherited = fillFromParent(posix.dirname(directory), file);
  writeValue(`${directory}/${file}`, inherited);
  return inherited;
}
