import { readdirSync, statSync } from 'node:fs';
import { processStat } from '../host/proc.ts';
import { ownCgroups } from './own-cgroups.ts';
import type { ContainerRecord } from './record.ts';

/**
 * Pids of all processes of a container, those of `exec` included, as the host numbers them, in rising order. None once
 * it has stopped.
 */
export function containerProcesses(record: ContainerRecord): number[] {
  const manager = ownCgroups(record);
  const pids =
    manager === undefined || record.cgroup?.driver === 'disabled'
      ? processesWithoutCgroup(record)
      : manager.processes();
  return [...pids].sort((a, b) => a - b);
}

/** The first process, those in the pid namespace if it is the container's own, and the descendants of all of them. */
function processesWithoutCgroup({ init, ownPids }: ContainerRecord): Set<number> {
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
    // The process has ended, or the caller may not see it: then it is not the container's.
    return undefined;
  }
}
