import { readdirSync, statSync } from 'node:fs';
import { processStat } from '../host/proc.ts';
import { ownCgroups } from '../state/own-cgroups.ts';
import type { ContainerRecord } from '../state/record.ts';

/**
 * Pids of all processes of a container, as the host numbers them, in rising order; also of those that entered it
 * later. None once it has ended.
 */
export function containerProcesses(record: ContainerRecord): number[] {
  const manager = ownCgroups(record);
  const pids =
    manager === undefined || record.cgroup?.driver === 'disabled'
      ? processesAround(record)
      : manager.processes();
  return [...pids].sort((a, b) => a - b);
}

/**
 * Without cgroups: the first process, those in its pid namespace if it is the container's own, and what they have
 * started, in whatever namespaces.
 */
function processesAround({ init, ownPids }: ContainerRecord): Set<number> {
  const found = new Set<number>();
  if (init === undefined || processStat(init.pid)?.startTime !== init.startTime) return found;
  found.add(init.pid);
  const parents = new Map(allPids().map((pid) => [pid, processStat(pid)?.parent ?? 0]));
  const namespace = ownPids ? pidNamespace(init.pid) : undefined;
  for (const pid of parents.keys()) {
    if (namespace !== undefined && pidNamespace(pid) === namespace) found.add(pid);
  }
  const belongs = (pid: number): boolean => {
    for (let at = pid; at > 1; at = parents.get(at) ?? 0) if (found.has(at)) return true;
    return false;
  };
  for (const pid of parents.keys()) if (belongs(pid)) found.add(pid);
  return found;
}

/** Pids of all processes in the pid namespace that `path` names, as the host numbers them. */
export function processesInNamespace(path: string): number[] {
  const { ino } = statSync(path, { bigint: true });
  return allPids().filter((pid) => pidNamespace(pid) === ino);
}

function allPids(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

function pidNamespace(pid: number): bigint | undefined {
  try {
    return statSync(`/proc/${pid}/ns/pid`, { bigint: true }).ino;
  } catch {
    // It has ended, or it is not ours to see, so not the container's.
    return undefined;
  }
}
