/** Refuses what a process in a pid namespace that is joined could use to reach the host, by tracing (ptrace(2)). */
import { statSync } from 'node:fs';
import { fileError, TsrunError } from '../core/error.ts';
import { boundingSet } from '../host/proc.ts';
import { capabilityMask } from '../config/capabilities.ts';
import type { Plan } from '../plan/types.ts';
import { isPrivilegedInSight } from '../plan/visible-clone.ts';
import type { Config } from '../config/types.ts';
import { processesInNamespace } from '../state/container-processes.ts';

/**
 * For a restore: criu makes the processes of the container in their pid namespace while the host's files can be
 * reached through them.
 * @throws TsrunError 'unsupported' when a process in a joined pid namespace could trace them
 */
export function refuseTracersOfRestore(config: Config): void {
  refuseTracersOf(config, "the host's files through the processes that criu restores");
}

/**
 * For a plan that clones process B while it has privileges that the container's process is not to have.
 * @throws TsrunError 'unsupported' when a process in a joined pid namespace could trace it
 */
export function refuseTracersOfPlan(config: Config, plan: Plan): void {
  if (isPrivilegedInSight(plan)) refuseTracersOf(config, privileged);
}

const privileged =
  'the host through a process that must keep privileges until its filter or scheduler is set';

function refuseTracersOf({ linux }: Config, what: string): void {
  const index = linux?.namespaces?.findIndex(({ type, path = '' }) => type === 'pid' && path !== '') ?? -1;
  const path = linux?.namespaces?.[index]?.path;
  if (path === undefined || isOwn(path)) return;
  refuseTracersIn(path, `/linux/namespaces/${index}/path`, what);
}

/**
 * For the plan of an exec into the container of the process `init`, unless its pid namespace is tsrun's own.
 * @throws TsrunError 'unsupported' when a process of the container could trace process B
 */
export function refuseTracersOfExec(init: number, plan: Plan): void {
  const path = `/proc/${init}/ns/pid`;
  if (isPrivilegedInSight(plan) && !isOwn(path)) refuseTracersIn(path, '', privileged);
}

function refuseTracersIn(path: string, pointer: string, what: string): void {
  const bit = capabilityMask(['CAP_SYS_PTRACE']);
  const tracer = processesInNamespace(path).find((pid) => ((boundingSet(pid) ?? 0n) & bit) !== 0n);
  if (tracer === undefined) return;
  throw new TsrunError(
    'unsupported',
    `process ${tracer} in this pid namespace may have CAP_SYS_PTRACE: it could reach ${what}`,
    { pointer, hint: 'no process of the pid namespace may have CAP_SYS_PTRACE in its bounding set' },
  );
}

function isOwn(path: string): boolean {
  try {
    return statSync(path, { bigint: true }).ino === statSync('/proc/self/ns/pid', { bigint: true }).ino;
  } catch (error) {
    throw fileError(`look at the pid namespace ${path}`, error);
  }
}
