import { namespaces } from '../spec/namespaces.ts';
import type { Config, NamespaceType, Process } from '../spec/types.ts';
import { execAffinity } from './affinity.ts';
import { joinCgroups, openCgroups } from './cgroups.ts';
import { compileConsole } from './console.ts';
import { Draft } from './draft.ts';
import { compileOomScore, compileProcess, raiseHardLimits } from './process.ts';
import type { HostFacts, Plan, PlanOptions } from './types.ts';
import { rootModes } from './wire.ts';
import type { Op } from './wire.ts';

/** What `exec` asks of a plan besides the container's config and the process. */
export interface ExecOptions extends Pick<
  PlanOptions,
  'containerId' | 'rootfs' | 'noNewKeyring' | 'preserveFds' | 'cgroupTasks' | 'extraEnv' | 'seccomp'
> {
  /** The namespaces of the container that are not tsrun's own. */
  namespaces: readonly NamespaceType[];
}

/**
 * Decides everything the init does to run one more process in a container, in order. Pure, like compile(), and
 * of the same parts: whatever restricts the container's process restricts this one. Pointers are those of a
 * config whose `process` is the one to run.
 * @throws TsrunError 'config' or 'unsupported' with the pointer of the property
 */
export function compileExec(config: Config, process: Process, facts: HostFacts, options: ExecOptions): Plan {
  // Hooks are due once in the life of a container.
  const draft = new Draft({ ...config, process, hooks: {} }, facts, {
    ...options,
    bundle: '',
    noPivot: false,
    gate: 'engine',
    cgroupPaths: new Map(),
  });
  const entry = enterContainer(options.namespaces, facts);
  const ops: Op[] = [
    // Process A, as the caller.
    ...compileOomScore(draft),
    ...raiseHardLimits(draft),
    ...execAffinity(process, 'initial'),
    ...openCgroups(draft),
    entry.first,
    { op: 'clone', origin: '', flags: 0 },

    // Process B. First into the cgroups: all it takes from here on counts as the container's.
    ...joinCgroups(draft),
    ...execAffinity(process, 'final'),
    ...entry.second,
    { op: 'newSession', origin: '' },
    // The container's own one, by its name: the caller's keys are not for it.
    ...keyring(options),
    ...openRoot(draft),
    ...compileConsole(draft, { mount: false }),
    ...enterRoot(draft),
    // Not made when it is missing: the container is its owner's by now.
    { op: 'workingDirectory', origin: '/process/cwd', path: process.cwd, create: 0 },
    ...compileProcess(draft),
  ];
  return { ops, slotCount: draft.slotCount, warnings: draft.warnings };
}

interface Entry {
  /** In A. */
  first: Op;
  /** In B. */
  second: Op[];
}

/**
 * A joins what it can: the container does not see it, but B, from its first moment on. Whoever may trace processes
 * in there (CAP_SYS_PTRACE) finds the container's files behind /proc/PID/root then, and not those of the host.
 *
 * B must be cloned into its cgroup before it is in the cgroup namespace, out of which the kernel would take nobody
 * (cgroups(7), nsdelegate). Root joins a user namespace last, so that it has its power over namespaces that do not
 * belong to it; somebody else has no power at all outside of that one, so A joins it.
 */
function enterContainer(types: readonly NamespaceType[], { privileged, uid }: HostFacts): Entry {
  const asRoot = privileged || uid === 0;
  const inB = (type: NamespaceType): boolean => type === 'cgroup' || (type === 'user' && asRoot);
  const entry = (chosen: readonly NamespaceType[]): Op => ({
    op: 'enterContainer',
    origin: '',
    flags: chosen.reduce((sum, type) => sum + namespaces[type].flag, 0),
  });
  const second = types.filter(inB);
  return {
    first: entry(types.filter((type) => !inB(type))),
    second: second.length === 0 ? [] : [entry(second)],
  };
}

function keyring({ noNewKeyring, containerId }: ExecOptions): Op[] {
  return noNewKeyring ? [] : [{ op: 'keyring', origin: '', name: `_ses.${containerId}` }];
}

/** The root in which the console looks for its devpts. Where the container has its mounts, it is / by now. */
function openRoot(draft: Draft): Op[] {
  if (!draft.ownMounts) return [{ op: 'rootfs', origin: '/root/path', path: draft.options.rootfs }];
  return draft.config.process?.terminal === true ? [{ op: 'rootfs', origin: '', path: '/' }] : [];
}

function enterRoot(draft: Draft): Op[] {
  return draft.ownMounts ? [] : [{ op: 'enterRoot', origin: '/root/path', mode: rootModes.chroot }];
}
