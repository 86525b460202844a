import { statSync } from 'node:fs';
import { fileError, TsrunError } from '../core/error.ts';
import { boundingSet } from '../host/proc.ts';
import { capabilityMask } from '../config/capabilities.ts';
import type { Plan } from '../plan/types.ts';
import { isPrivilegedInSight } from '../plan/visible-clone.ts';
import type { Config } from '../config/types.ts';
import { processesInNamespace } from './processes.ts';

/**
 * criu makes the processes of a restored container in the pid namespace they are to be in, with the host's files still
 * in reach. Others in a namespace that is joined must not be able to trace them then.
 * @throws TsrunError 'unsupported' when one of them could
 */
export function refuseTracers(config: Config): void {
  refuseTracersOf(config, "the host's files through the processes that criu restores");
}

/**
 * The same for a plan that clones process B before it has given up all that the container's process is not to have.
 * @throws TsrunError 'unsupported' when somebody in the joined pid namespace could trace it
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
 * For an exec into the container of the process `init`, in a pid namespace that is not tsrun's own.
 * @throws TsrunError 'unsupported' as refuseTracersOfPlan does
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
