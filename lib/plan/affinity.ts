/** CPUs a process may run on (config.md, "Process": execCPUAffinity; sched_setaffinity(2)). */
import { TsrunError } from '../errors.ts';
import type { Process } from '../spec/types.ts';
import type { Op } from './wire.ts';

/** No kernel knows more CPUs, and the init's mask has room for no more. */
const maxCpus = 8192;

/** The operation for one moment of `process.execCPUAffinity`; none when it says nothing about it. */
export function execAffinity({ execCPUAffinity }: Process, moment: 'initial' | 'final'): Op[] {
  const list = execCPUAffinity?.[moment];
  // An empty list is what Go programs write for "none".
  if (list === undefined || list === '') return [];
  const origin = `/process/execCPUAffinity/${moment}`;
  return [{ op: 'affinity', origin, cpus: cpuMask(list, origin) }];
}

/** The mask of a list like `0-3,7`, CPU 0 the lowest bit of the first byte. */
function cpuMask(list: string, pointer: string): Uint8Array {
  const cpus = list.split(',').flatMap((part) => range(part, list, pointer));
  const mask = new Uint8Array(Math.floor(Math.max(...cpus) / 8) + 1);
  for (const cpu of cpus) mask[cpu >> 3] = (mask[cpu >> 3] ?? 0) | (1 << (cpu & 7));
  return mask;
}

function range(part: string, list: string, pointer: string): number[] {
  const [, first, last = first] = /^\s*(\d{1,9})(?:-(\d{1,9}))?\s*$/.exec(part) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (first === undefined || from > to || to >= maxCpus) {
    throw new TsrunError('config', `'${list}' is not a list of CPUs like 0-3,7`, { pointer });
  }
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** `0-3,7` for the mask of the operation. */
export function cpuList(mask: Uint8Array): string {
  const parts: string[] = [];
  const has = (cpu: number): boolean => (((mask[cpu >> 3] ?? 0) >> (cpu & 7)) & 1) === 1;
  for (let cpu = 0; cpu < mask.length * 8; cpu++) {
    if (!has(cpu)) continue;
    const first = cpu;
    while (has(cpu + 1)) cpu++;
    parts.push(first === cpu ? String(cpu) : `${first}-${cpu}`);
  }
  return parts.join(',');
}
