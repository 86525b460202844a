/** How the kernel runs the process: CPUs, scheduler, I/O priority, NUMA policy, personality (config.md, config-linux.md). */
import { validated } from '../core/assert.ts';
import { memoryPolicyFlags, memoryPolicyModes } from '../config/memory-policy.ts';
import { numberMask } from '../config/number-list.ts';
import {
  ioPriorityClasses,
  maxCpus,
  maxMemoryNodes,
  personalities,
  schedulerFlags,
  schedulerPolicies,
} from '../config/scheduling.ts';
import type { Config, Process } from '../config/types.ts';
import type { Draft } from './draft.ts';
import type { Op } from './wire.ts';

/**
 * In the container's cgroups, whose CPUs and memory nodes these must be among; as root, since most of it needs
 * CAP_SYS_NICE.
 */
export function compileScheduling({ config }: Draft): Op[] {
  return [
    ...memoryPolicy(config),
    ...ioPriority(config.process),
    ...scheduler(config.process),
    ...personality(config),
  ];
}

function scheduler(processSpec: Process | undefined): Op[] {
  const scheduler = processSpec?.scheduler;
  if (scheduler === undefined) return [];
  const origin = '/process/scheduler';
  const { policy, flags = [], nice = 0, priority = 0, runtime = 0, deadline = 0, period = 0 } = scheduler;
  return [
    {
      op: 'scheduler',
      origin,
      policy: known(schedulerPolicies, policy, `${origin}/policy`),
      flags: bits(schedulerFlags, flags, `${origin}/flags`),
      nice,
      priority,
      runtime,
      deadline,
      period,
    },
  ];
}

function ioPriority(processSpec: Process | undefined): Op[] {
  const setting = processSpec?.ioPriority;
  if (setting === undefined) return [];
  const origin = '/process/ioPriority';
  const ioClass = known(ioPriorityClasses, setting.class, `${origin}/class`);
  return [{ op: 'ioPriority', origin, ioClass, priority: setting.priority ?? 0 }];
}

function memoryPolicy({ linux }: Config): Op[] {
  const policy = linux?.memoryPolicy;
  if (policy === undefined) return [];
  const origin = '/linux/memoryPolicy';
  const nodes = validated(numberMask(policy.nodes ?? '', maxMemoryNodes), `${origin}/nodes`);
  const mode =
    known(memoryPolicyModes, policy.mode, `${origin}/mode`) |
    bits(memoryPolicyFlags, policy.flags ?? [], `${origin}/flags`);
  return [{ op: 'memoryPolicy', origin, mode, nodes }];
}

function personality({ linux }: Config): Op[] {
  const domain = linux?.personality?.domain;
  if (domain === undefined) return [];
  const origin = '/linux/personality';
  return [{ op: 'personality', origin, persona: known(personalities, domain, `${origin}/domain`) }];
}

function known(table: ReadonlyMap<string, number>, name: string, pointer: string): number {
  return validated(table.get(name), pointer);
}

function bits(table: ReadonlyMap<string, number>, names: readonly string[], pointer: string): number {
  return names.reduce((sum, name, index) => sum | known(table, name, `${pointer}/${index}`), 0);
}

/**
 * Allows every CPU of the cgroup's cpuset, instead of the caller's affinity. After the cgroups are joined: the kernel
 * removes from the mask what is not in the cpuset.
 */
export function resetAffinity(): Op[] {
  return [{ op: 'affinity', origin: '', cpus: new Uint8Array() }];
}

/** The affinity of an exec once it is in the cgroups: what the config says, or every CPU they have. */
export function finalAffinity(processSpec: Process): Op[] {
  const final = execAffinity(processSpec, 'final');
  return final.length > 0 ? final : resetAffinity();
}

/** The operation for one moment of `process.execCPUAffinity`; none when it says nothing about it. */
export function execAffinity({ execCPUAffinity }: Process, moment: 'initial' | 'final'): Op[] {
  const list = execCPUAffinity?.[moment] ?? '';
  // An empty list is what Go programs write for "none".
  if (list === '') return [];
  const origin = `/process/execCPUAffinity/${moment}`;
  return [{ op: 'affinity', origin, cpus: validated(numberMask(list, maxCpus), origin) }];
}
