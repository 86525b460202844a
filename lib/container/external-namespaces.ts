import { closeSync, openSync, statSync } from 'node:fs';
import type { CriuOptions } from '../checkpoint/criu/rpc.ts';
import { fileError, TsrunError } from '../core/error.ts';
import { boundingSet } from '../host/proc.ts';
import { capabilityMask } from '../config/capabilities.ts';
import type { Plan } from '../plan/types.ts';
import { isPrivilegedInSight } from '../plan/visible-clone.ts';
import { namespaces } from '../config/namespaces.ts';
import type { Config, Namespace, NamespaceType } from '../config/types.ts';
import { processesInNamespace } from './processes.ts';

/**
 * Namespaces that are not the container's own. criu leaves out network and pid namespaces that somebody else has
 * made, and finds the one of the restored container under the same key; others it joins by their path. The keys are
 * runc's, so that the images are interchangeable.
 */
const keys: Partial<Record<NamespaceType, string>> = { network: 'extRootNetNS', pid: 'extRootPidNS' };

function joined({ linux }: Config): (Namespace & { path: string })[] {
  return (linux?.namespaces ?? []).filter(
    (namespace): namespace is Namespace & { path: string } =>
      namespace.path !== undefined && namespace.path !== '',
  );
}

/** For the dump of the container with the first process `pid`: `net[4026531840]:extRootNetNS`. */
export function externalNamespaces(pid: number, config: Config): string[] {
  return joined(config).flatMap(({ type }) => {
    const key = keys[type];
    if (key === undefined) return [];
    const { procName } = namespaces[type];
    try {
      // The process is what counts: the path of the config may lead elsewhere by now.
      return [`${procName}[${statSync(`/proc/${pid}/ns/${procName}`).ino}]:${key}`];
    } catch (error) {
      throw fileError(`look at the ${type} namespace of process ${pid}`, error);
    }
  });
}

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

/** For a restore; the descriptors are open until `close`. */
export interface JoinedNamespaces {
  options: CriuOptions;
  fds: number[];
  close: () => void;
}

/** Opens the namespaces of the config. `firstFd`: the number the first of them has in criu. */
export function joinNamespaces(config: Config, firstFd: number): JoinedNamespaces {
  const fds: number[] = [];
  const inherit: { key: string; fd: number }[] = [];
  const join: { ns: string; ns_file: string }[] = [];
  const close = (): void => {
    fds.splice(0).forEach((fd) => {
      closeSync(fd);
    });
  };
  try {
    for (const { type, path } of joined(config)) {
      const key = keys[type];
      if (key === undefined) {
        if (type === 'cgroup') {
          throw new TsrunError(
            'unsupported',
            'criu cannot restore into a cgroup namespace that exists already',
          );
        }
        join.push({ ns: namespaces[type].procName, ns_file: path });
        continue;
      }
      inherit.push({ key, fd: firstFd + fds.length });
      fds.push(open(type, path));
    }
  } catch (error) {
    close();
    throw error;
  }
  return { options: { inherit_fd: inherit, join_ns: join }, fds, close };
}

function open(type: NamespaceType, path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw fileError(`open the ${type} namespace ${path}`, error);
  }
}

/**
 * True when hooks are due that engines set up the network with: what they make is not the container's, and they
 * make it again for the restored one.
 */
export function hooksMakeNetwork({ hooks }: Config): boolean {
  return (hooks?.prestart ?? []).length + (hooks?.createRuntime ?? []).length > 0;
}
