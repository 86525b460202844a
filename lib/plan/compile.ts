import type { Config } from '../config/types.ts';
import { resetAffinity } from './affinity.ts';
import { cloneIntoCgroup, joinCgroups, openCgroups } from './cgroups.ts';
import { compileConsole } from './console.ts';
import { compileDevices } from './devices.ts';
import { Draft } from './draft.ts';
import { hooksBeforePivot } from './hooks.ts';
import { compileMountLabel } from './labels.ts';
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
import { compileOomScore, compileProcess, raiseHardLimits, workingDirectory } from './process.ts';
import { enterRoot, openRootfs, readonlyRoot } from './rootfs.ts';
import { compilePaths, compileSysctl } from './security.ts';
import type { HostFacts } from '../host/facts.ts';
import type { Plan, PlanOptions } from './types.ts';
import { placeVisibleClone } from './visible-clone.ts';
import { syncPoints } from './wire.ts';
import type { Op } from './wire.ts';

/**
 * Decides everything the init will do for a container, in order. Pure: the same config, host and options give the
 * same plan. The config must be valid (lib/config); what is dangerous in a wrong one is refused here as well.
 * @throws TsrunError 'config' or 'unsupported' with the pointer of the property
 */
export function compile(config: Config, facts: HostFacts, options: PlanOptions): Plan {
  const draft = new Draft(config, facts, options);
  // Namespaces get their slots first, mounts may refer to them; the operations are put in their order below.
  const opened = openNamespaces(draft);
  const time = timeNamespace(draft);
  const mounts = compileMounts(draft);
  const devices = compileDevices(draft);

  const asCaller: Op[] = [
    ...cloneIntoCgroup(draft),
    ...compileOomScore(draft),
    ...raiseHardLimits(draft),
    ...opened,
    ...openCgroups(draft),
    // Sources are looked up where the caller sees them, so before A goes anywhere.
    ...draft.sources,
    ...time.opened,
    ...enterNamespaces(draft),
    ...time.inherited,
  ];
  const container: Op[] = [
    // First into its cgroups: all that is taken from here on counts as the container's.
    ...joinCgroups(draft),
    ...resetAffinity(),
    ...time.own,
    { op: 'sync', origin: '', point: syncPoints.setup },
    ...settleNamespaces(draft),
    ...openRootfs(draft),
    ...compileMountLabel(draft),
    ...showPidNamespace(draft),
    ...mounts.ops,
    ...devices,
    // After the mounts, one of which is the devpts it comes from, and the links in /dev.
    ...compileConsole(draft),
    // Hooks find the container complete, but writable and with nothing hidden: some of them add to it.
    ...hooksBeforePivot(draft),
    // Needs a writable /proc/sys, so before readonlyPaths.
    ...compileSysctl(draft),
    // What hides a file is the host's /dev/null where the container has none: while it can be reached.
    ...compilePaths(draft),
    ...enterRoot(draft),
    // Not before the paths are masked: a directory below a mask stays visible to whoever is in it already. And
    // not after anything is read-only, since it is made when it is missing.
    ...workingDirectory(draft),
    ...mounts.readonlyLater,
    ...readonlyRoot(draft),
    ...enterPidNamespace(draft),
    ...compileProcess(draft),
  ];
  const ops = draft.visible
    ? placeVisibleClone(draft, [...asCaller, ...unshareNamespaces(draft), ...container])
    : [...asCaller, cloneProcess(draft), ...container];
  return { ops, slotCount: draft.slotCount, warnings: draft.warnings };
}
