/** The process itself (config.md, "Process"; config-linux.md and credentials(7), capabilities(7)). */
import { TsrunError } from '../core/error.ts';
import { capabilityMask } from '../config/capabilities.ts';
import { rlimitNumbers } from '../host/rlimits.ts';
import type { Process } from '../config/types.ts';
import { originOf } from './draft.ts';
import type { Draft } from './draft.ts';
import { compileEnvironment } from './environment.ts';
import { hooksBeforeExec } from './hooks.ts';
import { compileLabels } from './labels.ts';
import { compileScheduling } from './scheduling.ts';
import { placeFilter } from './seccomp.ts';
import { deniesSetgroups } from './setgroups.ts';
import { speakThroughPipes } from './visible-clone.ts';
import { syncPoints } from './wire.ts';
import type { Op, OpOf } from './wire.ts';

/** The config's process. @throws TsrunError 'config' when there is none, or nothing to run */
export function requireProcess(draft: Draft): Process & { args: readonly [string, ...string[]] } {
  const { process } = draft.config;
  if (process === undefined) {
    throw new TsrunError('config', 'there is no process to run', { pointer: '' });
  }
  const [name, ...rest] = process.args ?? [];
  if (name === undefined) {
    throw new TsrunError('config', 'process.args is empty: there is nothing to run', {
      pointer: '/process/args',
    });
  }
  return { ...process, args: [name, ...rest] };
}

/** In process A, while it still has the rights of the caller: lowering it needs CAP_SYS_RESOURCE on the host. */
export function compileOomScore({ config }: Draft): Op[] {
  const value = config.process?.oomScoreAdj;
  return value === undefined ? [] : [{ op: 'oomScoreAdj', origin: '/process/oomScoreAdj', value }];
}

/**
 * Hard limits that process B, once it is in a user namespace, could not raise any more: in process A, with the
 * rights of the caller. B lowers them again where the config says so.
 */
export function raiseHardLimits({ config, inUserNamespace }: Draft): Op[] {
  if (!inUserNamespace) return [];
  return (config.process?.rlimits ?? []).map(({ type, hard }, index) => {
    const origin = `/process/rlimits/${index}`;
    return { op: 'raiseHardLimit', origin, resource: rlimitNumber(type, origin), hard };
  });
}

/** Made if it is missing, as engines expect. As root, since it may be open to root only. */
export function workingDirectory(draft: Draft): Op[] {
  return [{ op: 'workingDirectory', origin: '/process/cwd', path: requireProcess(draft).cwd, create: 1 }];
}

/** From the finished container to execve. */
export function compileProcess(draft: Draft): Op[] {
  const process = requireProcess(draft);
  const { env, path, hasHome } = compileEnvironment(process.env ?? [], draft.options.extraEnv);
  const limits = rlimits(draft, process);
  const ops: Op[] = [];
  // As root: /etc/passwd need not be readable for the user.
  if (!hasHome) {
    ops.push({ op: 'home', origin: originOf(process.env, '/process/env'), uid: process.user?.uid ?? 0 });
  }
  const filter = placeFilter(draft);
  const hooks = hooksBeforeExec(draft, env);
  ops.push(
    // As root: raising a hard limit needs CAP_SYS_RESOURCE.
    ...limits.asRoot,
    ...compileLabels(draft),
    ...speakThroughPipes(draft),
    ...(draft.options.gate === 'start' ? [{ op: 'listen', origin: '' } as const] : []),
    // Before whatever lets others see the process: an exec in a created container, or a clone among others.
    { op: 'closeHostDescriptors', origin: '' },
    ...compileScheduling(draft),
    ...privileges(draft, process, filter.privileged),
    // As the user, so that a file only root may execute is found out now and not by `start`.
    { op: 'findExecutable', origin: '/process/args/0', name: process.args[0], path },
    ...filter.beforeStart,
    draft.options.gate === 'start'
      ? { op: 'waitStart', origin: '' }
      : { op: 'sync', origin: '', point: syncPoints.ready },
    // Hooks are programs of the container, so they run under its filter. Without any the filter comes last, and
    // need allow nothing of the init but execve.
    ...(hooks.length > 0
      ? [...filter.afterStart, ...hooks, ...limits.last]
      : [...limits.last, ...filter.afterStart]),
    { op: 'exec', origin: '/process/args', args: process.args, env, preserveFds: draft.options.preserveFds },
  );
  return ops;
}

/** Descriptors the init and its hooks may need; what the process may have in the end can be less. */
const enoughDescriptors = 256;

/**
 * The limits, and those that would stop the init itself: a small number of descriptors is set to something larger
 * first and lowered in the end, which needs no capability.
 */
function rlimits(draft: Draft, { rlimits = [] }: Process): { asRoot: Op[]; last: Op[] } {
  const asRoot: Op[] = [];
  const last: Op[] = [];
  rlimits.forEach(({ type, soft, hard }, index) => {
    const origin = `/process/rlimits/${index}`;
    const limit: OpOf<'rlimit'> = { op: 'rlimit', origin, resource: rlimitNumber(type, origin), soft, hard };
    if (type === 'RLIMIT_NPROC' && draft.visible) {
      // The user has one process more while A clones B.
      asRoot.push({ op: 'raiseHardLimit', origin, resource: limit.resource, hard });
      last.push(limit);
      return;
    }
    if (type !== 'RLIMIT_NOFILE' || soft >= enoughDescriptors) {
      asRoot.push(limit);
      return;
    }
    asRoot.push({
      ...limit,
      soft: enoughDescriptors,
      hard: hard < enoughDescriptors ? enoughDescriptors : hard,
    });
    last.push(limit);
  });
  return { asRoot, last };
}

function rlimitNumber(type: string, origin: string): number {
  const resource = rlimitNumbers.get(type);
  if (resource !== undefined) return resource;
  throw new TsrunError('config', `unknown resource limit ${type}`, { pointer: `${origin}/type` });
}

/** Each step takes away what the one before needed; in any other order one of them fails, or leaves something. */
function privileges(draft: Draft, process: Process, filter: readonly Op[]): Op[] {
  const { capabilities, user = {}, noNewPrivileges } = process;
  const origin = originOf(capabilities, '/process/capabilities');
  const { uid = 0, gid = 0, umask = 0o022, additionalGids = [] } = user;
  const noGroups = deniesSetgroups(draft);
  if (noGroups && additionalGids.length > 0) {
    throw new TsrunError(
      'config',
      'additional groups cannot be set: this user namespace denies setgroups(2)',
      {
        pointer: '/process/user/additionalGids',
        hint: 'map more than one group, which needs newgidmap and an entry in /etc/subgid',
      },
    );
  }
  // What a set cannot have without another one having it (capabilities(7)) is a warning of the validation.
  const permitted = capabilityMask(capabilities?.permitted);
  const inheritable = capabilityMask(capabilities?.inheritable);
  const ops: Op[] = [
    // Needs CAP_SETPCAP, which a change of user may take away.
    { op: 'boundingSet', origin, bounding: capabilityMask(capabilities?.bounding) },
    ...filter,
    {
      op: 'user',
      origin: originOf(process.user, '/process/user'),
      uid,
      gid,
      // Docker names a group again that the user has anyway; the kernel would keep and show both.
      groups: [...new Set(additionalGids)],
      umask,
      noGroups: noGroups ? 1 : 0,
    },
    // A change of user to or from root rewrites the sets, so they come after it. Without the property there are
    // no capabilities at all, also for root.
    {
      op: 'capabilities',
      origin,
      effective: capabilityMask(capabilities?.effective) & permitted,
      permitted,
      inheritable,
      ambient: capabilityMask(capabilities?.ambient) & permitted & inheritable,
    },
  ];
  if (noNewPrivileges === true) ops.push({ op: 'noNewPrivileges', origin: '/process/noNewPrivileges' });
  return ops;
}
