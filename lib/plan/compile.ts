import type { Config } from '../config/types.ts';
import { BindSources } from './clone-bind-sources.ts';
import { compileDevices } from './devices.ts';
import { Draft } from './draft.ts';
import { hooksBeforePivot } from './hooks.ts';
import { cloneIntoCgroup, compileOomScore, joinCgroups, raiseHardLimits } from './limits.ts';
import { compilePaths } from './masked-paths.ts';
import { compileMounts } from './mounts.ts';
import {
  cloneProcess,
  enterNamespaces,
  enterPidNamespace,
  openNamespaces,
  settleNamespaces,
  showPidNamespace,
  timeNamespace,
  unshareNamespaces,
} from './namespaces.ts';
import { compileProcess, workingDirectory } from './process.ts';
import { enterRoot, openRootfs, readonlyRoot } from './rootfs.ts';
import { resetAffinity } from './scheduling.ts';
import { requireGroups } from './privileges.ts';
import { compileMountLabel, requireSecurityModules } from './security-modules.ts';
import { compileSysctl } from './sysctl.ts';
import { compileTerminal } from './terminal.ts';
import type { HostFacts } from '../host/facts.ts';
import type { Plan, PlanOptions, Refuse } from './types.ts';
import { placeVisibleClone } from './visible-clone.ts';
import { type Op, syncPoints } from './wire.ts';

/**
 * Decides everything the init will do for a container, in order. Pure: the same config, host and options give the
 * same plan.
 *
 * @param config a valid one (lib/config/validate.ts).
 * @param refuse takes what this host cannot do, 'config' or 'unsupported' with the pointer of the property. The plan is
 * of no use then. Throws the first one unless given.
 */
export function compile(config: Config, facts: HostFacts, options: PlanOptions, refuse?: Refuse): Plan {
  const draft = new Draft(config, facts, options, { refuse });
  requireSecurityModules(draft);
  requireGroups(draft);
  const namespaces = openNamespaces(draft);
  const time = timeNamespace(draft);
  const cgroups = joinCgroups(draft);
  const sources = new BindSources(draft, options, namespaces.joined);
  const mounts = compileMounts(draft, options, sources);
  const devices = compileDevices(draft, sources);

  const asCaller: Op[] = [
    ...cloneIntoCgroup(draft),
    ...compileOomScore(draft),
    ...raiseHardLimits(draft),
    ...namespaces.ops,
    ...cgroups.open,
    // Before A enters any namespace: the sources are paths of the caller.
    ...sources.ops,
    ...time.opened,
    ...enterNamespaces(draft, namespaces.joined),
    ...time.inherited,
  ];
  const container: Op[] = [
    // First into its cgroups: all that is taken from here on counts as the container's.
    ...cgroups.join,
    ...resetAffinity(),
    ...time.own,
    { op: 'sync', origin: '', point: syncPoints.setup },
    ...settleNamespaces(draft),
    ...openRootfs(draft),
    ...compileMountLabel(draft),
    ...showPidNamespace(draft, namespaces.joined),
    ...mounts.ops,
    ...devices,
    // After the mounts, one of which is the devpts it comes from, and the links in /dev.
    ...compileTerminal(draft),
    // Some hooks add to the container, so nothing is read-only or masked yet.
    ...hooksBeforePivot(draft),
    // Needs a writable /proc/sys, so before readonlyPaths.
    ...compileSysctl(draft),
    // Before pivot_root: a masked file is covered by the host's /dev/null where the container has none.
    ...compilePaths(draft),
    ...enterRoot(draft, options.noPivot),
    // After the paths are masked: a process that is in a directory below a mask still sees it. Before anything is
    // read-only: the directory is made when it is missing.
    ...workingDirectory(draft),
    ...mounts.readonlyLater,
    ...readonlyRoot(draft),
    ...enterPidNamespace(draft, namespaces.joined),
    ...compileProcess(draft),
  ];
  const ops = draft.visible
    ? placeVisibleClone(draft, [...asCaller, ...unshareNamespaces(draft), ...container])
    : [...asCaller, cloneProcess(draft), ...container];
  return { ops, slotCount: draft.slotCount, warnings: draft.warnings };
}

/** What compileMountpoints() needs of the options of a plan. */
export type MountpointOptions = Pick<
  PlanOptions,
  'bundle' | 'rootfs' | 'containerId' | 'cgroupPaths' | 'sourcesInside' | 'extraMounts'
>;

/**
 * The part of compile() that makes mounts and devices. The init stops at the sync point `hooks`, before the rootfs
 * becomes /, for the engine to end it there: it executes no program.
 */
export function compileMountpoints(config: Config, facts: HostFacts, options: MountpointOptions): Plan {
  const kept = config.linux?.namespaces?.filter(
    // Mounts need none of these; a process of this init must not be seen in a pid namespace that is joined.
    ({ type, path = '' }) => type !== 'time' && !(type === 'pid' && path !== ''),
  );
  const all: PlanOptions = {
    ...options,
    ...{ noPivot: false, noNewKeyring: true, preserveFds: 0, gate: 'engine', extraEnv: [] },
  };
  const draft = new Draft(
    { ...config, linux: { ...config.linux, ...(kept && { namespaces: kept }) } },
    facts,
    all,
  );
  const namespaces = openNamespaces(draft);
  const sources = new BindSources(draft, all, namespaces.joined);
  const mounts = compileMounts(draft, all, sources);
  const devices = compileDevices(draft, sources);
  const ops: Op[] = [
    ...namespaces.ops,
    ...sources.ops,
    ...enterNamespaces(draft, namespaces.joined),
    cloneProcess(draft),
    { op: 'sync', origin: '', point: syncPoints.setup },
    ...settleNamespaces(draft),
    ...openRootfs(draft),
    ...compileMountLabel(draft),
    ...mounts.ops,
    ...devices,
    { op: 'sync', origin: '', point: syncPoints.hooks },
    // A plan ends with exec; it is not reached.
    { op: 'exec', origin: '', args: [], env: [], preserveFds: 0 },
  ];
  return { ops, slotCount: draft.slotCount, warnings: draft.warnings };
}
