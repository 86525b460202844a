import { namespaces } from '../config/namespaces.ts';
import type { Config, NamespaceType, Process } from '../config/types.ts';
import { Draft } from './draft.ts';
import { cloneIntoCgroup, compileOomScore, joinCgroups, raiseHardLimits } from './limits.ts';
import { requireGroups } from './privileges.ts';
import { compileProcess } from './process.ts';
import { openRootfs, readonlyRoot } from './rootfs.ts';
import { execAffinity, finalAffinity } from './scheduling.ts';
import { requireSecurityModules } from './security-modules.ts';
import { compileTerminal } from './terminal.ts';
import type { HostFacts } from '../host/facts.ts';
import type { Plan, ProcessOptions } from './types.ts';
import { placeVisibleClone } from './visible-clone.ts';
import { type Op, rootModes } from './wire.ts';

/** What `exec` asks of a plan besides the container's config and the process. */
export interface ExecOptions extends Omit<ProcessOptions, 'gate'> {
  /** The namespaces of the container that are not tsrun's own. */
  namespaces: readonly NamespaceType[];
}

/**
 * Decides everything the init does to run one more process in a container, in order. Pure, like compile(), and
 * of the same parts: whatever restricts the container's process restricts this one. Pointers are those of a
 * config whose `process` is the one to run.
 *
 * @throws TsrunError 'config' or 'unsupported' with the pointer of the property
 */
export function compileExec(
  config: Config,
  processSpec: Process,
  facts: HostFacts,
  options: ExecOptions,
): Plan {
  // Hooks are due once in the life of a container.
  const draft = new Draft(
    { ...config, process: processSpec, hooks: {} },
    facts,
    { ...options, gate: 'engine' },
    { entersContainer: true },
  );
  requireSecurityModules(draft);
  requireGroups(draft);
  const cgroups = joinCgroups(draft);
  const ops = placeVisibleClone(draft, [
    // Before the cgroups are joined: these CPUs need not be among the container's.
    ...execAffinity(processSpec, 'initial'),
    ...cloneIntoCgroup(draft),
    ...compileOomScore(draft),
    ...raiseHardLimits(draft),
    // Into the cgroups while their files can be named: all that is taken from here on counts as the container's.
    ...cgroups.open,
    ...cgroups.join,
    ...finalAffinity(processSpec),
    ...enterContainer(options.namespaces, facts),
    // Joins the container's keyring by its name, and leaves the caller's.
    ...keyring(options),
    ...openRoot(draft),
    ...compileTerminal(draft, { mount: false }),
    ...enterRoot(draft),
    // Unlike create, exec changes nothing in the container, so a missing directory is not made.
    { op: 'workingDirectory', origin: '/process/cwd', path: processSpec.cwd, create: 0 },
    ...(draft.ownMounts ? [] : readonlyRoot(draft)),
    ...compileProcess(draft),
  ]);
  return { ops, slotCount: draft.slotCount, warnings: draft.warnings };
}

/**
 * A joins the namespaces; as the first of its children in the container's pid namespace, B is there from its birth.
 *
 * Root joins a user namespace last: it needs its capabilities for namespaces that belong to another user namespace.
 * Any other user has capabilities only in that user namespace, so it is joined together with the others.
 */
function enterContainer(types: readonly NamespaceType[], { privileged, uid }: HostFacts): Op[] {
  const isLast = (type: NamespaceType): boolean => type === 'user' && (privileged || uid === 0);
  const enter = (chosen: readonly NamespaceType[]): Op => ({
    op: 'enterContainer',
    origin: '',
    flags: chosen.reduce((sum, type) => sum + namespaces[type].flag, 0),
  });
  const last = types.filter(isLast);
  return [enter(types.filter((type) => !isLast(type))), ...(last.length === 0 ? [] : [enter(last)])];
}

function keyring({ noNewKeyring, containerId }: ExecOptions): Op[] {
  return noNewKeyring ? [] : [{ op: 'keyring', origin: '', name: `_ses.${containerId}` }];
}

/** The root in which the console looks for its devpts: / in a container with its own mount namespace. */
function openRoot(draft: Draft): Op[] {
  if (!draft.ownMounts) return openRootfs(draft);
  return draft.config.process?.terminal === true ? [{ op: 'rootfs', origin: '', path: '/' }] : [];
}

function enterRoot(draft: Draft): Op[] {
  return draft.ownMounts ? [] : [{ op: 'enterRoot', origin: '/root/path', mode: rootModes.chroot }];
}
