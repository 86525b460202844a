import { statSync } from 'node:fs';
import { findNamespace, namespaces, namespaceTypes } from '../config/namespaces.ts';
import type { Config, Linux, NamespaceType } from '../config/types.ts';
import { fileError } from '../core/error.ts';
import { hasErrno } from '../core/errno.ts';
import { checkPreservedFds } from '../engine/launch-init.ts';
import { type HostFacts, readHostFacts } from '../host/facts.ts';
import { encode } from '../plan/encode.ts';
import { compileExec } from '../plan/exec.ts';
import type { Plan } from '../plan/types.ts';
import { prepareFilter } from '../seccomp/prepare.ts';
import { listenEnvironment, type ListenRequest } from '../service/socket-activation.ts';
import type { ContainerRecord } from '../state/record.ts';
import type { StateRoot } from '../state/state-root.ts';
import { execJoin } from './exec-cgroup.ts';
import type { ExecProcess } from './exec-process.ts';
import { refuseTracersOfExec } from './refuse-tracers.ts';

/** What the plan of an exec depends on besides the container and the process. */
export interface ExecPlanRequest extends ListenRequest {
  root: StateRoot;
  /** Descriptors the process keeps behind those of LISTEN_FDS. */
  preserveFds?: number | undefined;
  /** Cgroups below the container's, by controller; '' for all. */
  subCgroups?: ReadonlyMap<string, string> | undefined;
}

export interface ExecPlan {
  plan: Plan;
  /** The plan as the init reads it. */
  code: Uint8Array;
  facts: HostFacts;
  /** The container's config with the process that is run. Hooks are due once in the life of a container. */
  config: Config;
  /** Descriptors from 3 on that the process keeps. */
  keptFds: number;
  /** Directory of the cgroup v2 it is cloned into. */
  cgroup: string | undefined;
  /** Caches the compiled seccomp filter. Never fails. */
  cacheFilter: () => void;
}

/** Decides how the process is run; changes nothing. `init`: pid of the container's first process. */
export function prepareExec(
  request: ExecPlanRequest,
  record: ContainerRecord,
  init: number,
  { config, process: processSpec }: Pick<ExecProcess, 'config' | 'process'>,
): ExecPlan {
  const { root, listenFds = 0, listenFdNames, preserveFds = 0, subCgroups = new Map() } = request;
  const { ociVersion, linux } = config;
  const facts = readHostFacts();
  const keptFds = listenFds + preserveFds;
  checkPreservedFds(keptFds);
  const join = execJoin(record, subCgroups, init);
  const seccomp = linux?.seccomp && prepareFilter(linux.seccomp, root.path);
  const plan = compileExec(config, processSpec, facts, {
    containerId: record.id,
    rootfs: record.rootfs,
    noNewKeyring: record.noNewKeyring === true,
    preserveFds: keptFds,
    cgroupTasks: join.tasks,
    cloneIntoCgroup: join.cloneInto !== undefined,
    // LISTEN_PID is 1 here, too, as runc and crun have it, though the process is not pid 1.
    extraEnv: listenEnvironment({ listenFds, listenFdNames }),
    namespaces: foreignNamespaces(init, linux),
    seccomp: seccomp?.filter,
  });
  // In a user namespace the process has no privileges over the host.
  if (findNamespace(linux, 'user') === undefined) refuseTracersOfExec(init, plan);
  return {
    plan,
    code: encode(plan),
    facts,
    config: { ociVersion, process: processSpec, ...(linux === undefined ? {} : { linux }) },
    keptFds,
    cgroup: join.cloneInto,
    cacheFilter: () => seccomp?.keep(),
  };
}

/**
 * The namespaces of the config which the process `pid` is in and tsrun is not: setns(2) refuses a user namespace that
 * the caller is in already, and a path in the config may name tsrun's own.
 */
function foreignNamespaces(pid: number, linux: Linux | undefined): NamespaceType[] {
  return namespaceTypes.filter(
    (type) => findNamespace(linux, type) !== undefined && identity(pid, type) !== identity('self', type),
  );
}

function identity(pid: number | 'self', type: NamespaceType): string {
  const path = `/proc/${pid}/ns/${namespaces[type].procName}`;
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    const denied = hasErrno(error, 'EACCES', 'EPERM');
    throw fileError(
      `look at the namespace ${path}`,
      error,
      denied ? { hint: 'joining a container needs root, or to be the user who made its user namespace' } : {},
    );
  }
}
