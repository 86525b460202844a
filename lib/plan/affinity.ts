/** CPUs a process may run on (config.md, "Process": execCPUAffinity; sched_setaffinity(2)). */
import { TsrunError } from '../core/error.ts';
import { numberMask } from '../config/number-list.ts';
import type { Process } from '../config/types.ts';
import type { Op } from './wire.ts';

/** No kernel knows more CPUs, and the init's mask has room for no more. */
const maxCpus = 8192;

/**
 * The caller's affinity is not for the container: the cpuset of its cgroup says which CPUs it has. After the cgroups
 * are joined, since the kernel takes away from the mask what is not in the cpuset.
 */
export function resetAffinity(): Op[] {
  return [{ op: 'affinity', origin: '', cpus: new Uint8Array() }];
}

/** The affinity of an exec once it is in the cgroups: what the config says, or every CPU they have. */
export function finalAffinity(process: Process): Op[] {
  const final = execAffinity(process, 'final');
  return final.length > 0 ? final : resetAffinity();
}

/** The operation for one moment of `process.execCPUAffinity`; none when it says nothing about it. */
export function execAffinity({ execCPUAffinity }: Process, moment: 'initial' | 'final'): Op[] {
  const list = execCPUAffinity?.[moment] ?? '';
  // An empty list is what Go programs write for "none".
  if (list.trim() === '') return [];
  const origin = `/process/execCPUAffinity/${moment}`;
  const cpus = numberMask(list, maxCpus);
  if (cpus === undefined) {
    throw new TsrunError('config', `'${list}' is not a list of CPUs like 0-3,7`, { pointer: origin });
  }
  return [{ op: 'affinity', origin, cpus }];
}
