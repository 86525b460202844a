import { devicesPointer, whyDeviceRulesIgnored } from '../cgroup/device-rules.ts';
import { cgroupManager } from '../cgroup/cgroup-manager.ts';
import { resolveCgroup } from '../cgroup/cgroups-path.ts';
import type { SelfJoin } from '../cgroup/manager.ts';
import type { CgroupRecord } from '../cgroup/record.ts';
import { type HostFacts, readHostFacts } from '../host/facts.ts';
import { processCgroups } from '../host/proc.ts';
import { compile } from '../plan/compile.ts';
import { encode } from '../plan/encode.ts';
import type { Plan, PlanOptions, Refuse, SeccompFilter } from '../plan/types.ts';
import type { CompiledFilter } from '../seccomp/compile.ts';
import { prepareFilter } from '../seccomp/prepare.ts';
import { TsrunError, withSource } from '../core/error.ts';
import { type Notice, tellFrom } from '../core/finding.ts';
import { type Bundle, readBundle } from '../config/bundle.ts';
import { checkContainerId } from '../state/container-id.ts';
import { joinsNamespace, hasNamespace } from '../config/namespaces.ts';
import { resolveRootfs } from '../config/rootfs.ts';
import { validateConfig } from '../config/validate.ts';
import { listenEnvironment } from '../service/socket-activation.ts';
import { notifyMount, notifyVariable } from '../service/sd-notify.ts';
import type { CompileRequest, CreateRequest } from './create-request.ts';
import { refuseTracersOfPlan } from './refuse-tracers.ts';
import { containerFolder } from '../state/folder.ts';
import { sourcesInside } from './sources-inside-rootfs.ts';

/** Everything about a container that is decided before anything of it is made. */
export interface PreparedContainer {
  id: string;
  bundle: Bundle;
  /** Absolute, links resolved. */
  rootfs: string;
  facts: HostFacts;
  cgroup: CgroupRecord;
  /** How the container's process joins its cgroups. */
  selfJoin: SelfJoin;
  plan: Plan;
  /** The plan as the init reads it. */
  code: Uint8Array;
  /** Descriptors from 3 on that the container keeps. */
  keptFds: number;
  /** The container gets NOTIFY_SOCKET (sd_notify(3)). */
  notifies: boolean;
  /** Notices that hardly ever matter. */
  remarks: Notice[];
  /** Caches the compiled seccomp filter for the next container. Never fails. */
  cacheFilter: () => void;
}

/**
 * Reads and validates the bundle and compiles it for this host. Changes nothing. Says what is odd but no reason to
 * stop.
 */
export function prepareContainer(request: CreateRequest, gate: PlanOptions['gate']): PreparedContainer {
  checkContainerId(request.id);
  const bundle = readBundle(request.bundle);
  const sourceOf = (): Bundle => bundle;
  const warn = tellFrom(sourceOf, request.log.warn);
  return withSource(sourceOf, () => {
    validateConfig(bundle).warnings.forEach(warn);
    const prepared = compileBundle(bundle, request, gate);
    prepared.plan.warnings.forEach(warn);
    if (request.notifySocket !== undefined && !prepared.notifies) {
      const reason = 'without a mount namespace of its own the container cannot use NOTIFY_SOCKET';
      warn({ pointer: '/linux/namespaces', reason });
    }
    prepared.remarks.forEach(tellFrom(sourceOf, request.log.debug));
    return prepared;
  });
}

/** Stands for the cgroups of a container that can have none. */
export const impossibleCgroup: CgroupRecord = { driver: 'disabled', version: 2, paths: {}, shared: {} };

/** Stands for a filter that cannot be made. */
const impossibleFilter: SeccompFilter = { program: new Uint8Array(), flags: 0, notify: false };

/** Stands for a plan that cannot be made. */
const impossiblePlan: Plan = { ops: [], slotCount: 0, warnings: [] };

/**
 * Compiles a valid bundle for this host; changes nothing. What is odd is among the plan's warnings.
 *
 * @param refuse takes what this host cannot do, with the pointer of the property. The container cannot be made then,
 * and has no `code`. Throws the first one unless given.
 */
export function compileBundle(
  bundle: Bundle,
  request: CompileRequest,
  gate: PlanOptions['gate'],
  refuse: Refuse = throwIt,
): PreparedContainer {
  const { id } = request;
  const refusals: TsrunError[] = [];
  const reject: Refuse = (failure) => {
    refusals.push(failure);
    refuse(failure);
  };
  const rootfs = attempt(reject, () => resolveRootfs(bundle)) ?? bundle.directory;
  const facts = readHostFacts();
  const cgroup =
    attempt(reject, () =>
      resolveCgroup(facts.cgroup, {
        cgroupsPath: bundle.config.linux?.cgroupsPath,
        containerId: id,
        driver: request.cgroupDriver ?? 'cgroupfs',
        rootless: facts.rootless,
        ownCgroups: processCgroups('self') ?? [],
      }),
    ) ?? impossibleCgroup;
  const notifies = request.notifySocket !== undefined && hasNamespace(bundle.config.linux, 'mount');
  const selfJoin = joinFrom(bundle, cgroupManager(cgroup).selfJoin());
  const keptFds = (request.listenFds ?? 0) + (request.preserveFds ?? 0);
  const profile = bundle.config.linux?.seccomp;
  const seccomp = profile && attempt(reject, () => prepareFilter(profile, request.root.path));
  const options: PlanOptions = {
    bundle: bundle.directory,
    rootfs,
    containerId: id,
    noPivot: request.noPivot ?? false,
    noNewKeyring: request.noNewKeyring ?? false,
    preserveFds: keptFds,
    gate,
    cgroupTasks: selfJoin.tasks,
    cloneIntoCgroup: selfJoin.cloneInto !== undefined,
    cgroupPaths: new Map(Object.entries(cgroup.paths)),
    extraEnv: [...listenEnvironment(request), ...(notifies ? [notifyVariable] : [])],
    extraMounts: notifies ? [notifyMount(containerFolder(request.root.path, id))] : [],
    sourcesInside: sourcesInside(bundle, rootfs),
    seccomp: profile && (seccomp?.filter ?? impossibleFilter),
  };
  const plan = attempt(reject, () => compile(bundle.config, facts, options, reject)) ?? impossiblePlan;
  attempt(reject, () => {
    refuseTracersOfPlan(bundle.config, plan);
  });
  const code = (refusals.length > 0 ? undefined : attempt(reject, () => encode(plan))) ?? new Uint8Array();
  return {
    id,
    bundle,
    rootfs,
    facts,
    cgroup,
    selfJoin,
    plan,
    code,
    keptFds,
    notifies,
    remarks: [...(seccomp === undefined ? [] : remarksOn(seccomp.filter)), ...deviceRemarks(bundle, cgroup)],
    cacheFilter: () => seccomp?.keep(),
  };
}

function throwIt(failure: TsrunError): never {
  throw failure;
}

/** The result of a step; undefined when it failed, for a reason that was given to `refuse`. */
function attempt<T>(refuse: Refuse, step: () => T): T | undefined {
  try {
    return step();
  } catch (failure) {
    if (!(failure instanceof TsrunError)) throw failure;
    refuse(failure);
    return undefined;
  }
}

/**
 * How process A, or B, joins the cgroups. In a user namespace that process A enters before its clone it may have no
 * right to clone into the cgroup, but may write to a file of the cgroup that it has opened before. Where a pid
 * namespace is joined, A moves into the cgroup before it enters any namespace.
 */
function joinFrom({ config: { linux } }: Bundle, selfJoin: SelfJoin): SelfJoin {
  const { tasks, cloneInto } = selfJoin;
  if (!joinsNamespace(linux, 'user') || joinsNamespace(linux, 'pid') || cloneInto === undefined)
    return selfJoin;
  return { tasks: [...tasks, `${cloneInto}/cgroup.procs`], cloneInto: undefined };
}

/** Device rules that cannot be applied, when tsrun is rootless. Docker and podman write such rules into every config. */
function deviceRemarks(bundle: Bundle, cgroup: CgroupRecord): Notice[] {
  const why = whyDeviceRulesIgnored(cgroup, bundle.config.linux?.resources);
  return why === undefined ? [] : [{ pointer: devicesPointer, reason: `ignored: ${why}` }];
}

/** Profiles name the system calls of all kernels and architectures, so unknown ones are usual. */
function remarksOn({ unknownSyscalls: names }: CompiledFilter): Notice[] {
  return names.length === 0
    ? []
    : [{ reason: `libseccomp does not know these system calls of the profile: ${names.join(', ')}` }];
}
