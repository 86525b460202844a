import { readCgroupStats } from '../cgroup/stats/stats.ts';
import type { CgroupStats } from '../cgroup/stats/types.ts';
import type { CgroupRecord } from '../cgroup/types.ts';
import { TsrunError } from '../core/error.ts';
import { findResctrl } from '../resctrl/mount.ts';
import { readResctrlStats } from '../resctrl/stats.ts';
import type { ResctrlStats } from '../resctrl/stats.ts';
import { parseDocument } from '../config/bundle.ts';
import type { Config } from '../config/types.ts';
import { findContainer } from '../state/find-container.ts';
import type { Container } from '../state/find-container.ts';
import { readNetworkStats } from './network-stats.ts';
import type { NetworkStats } from './network-stats.ts';
import type { ContainerRecord, ProcessRef } from '../state/record.ts';
import type { StateRoot } from '../state/state-root.ts';
import { storedConfig } from '../state/store.ts';

/** What a container has used so far. */
export interface ContainerStats extends CgroupStats {
  /** Undefined for a container in its caller's network namespace: what it sends is not told from the rest. */
  network: NetworkStats[] | undefined;
  /** Undefined for a container without a class of Intel RDT. */
  resctrl: ResctrlStats | undefined;
}

/** A container whose use of resources can be read. */
export interface Measurable {
  id: string;
  init: ProcessRef;
  cgroup: CgroupRecord;
  read: () => ContainerStats;
}

/**
 * Finds a container to measure. Throws 'not-found', and 'state' with the words `container not running` for one
 * that has stopped.
 */
export function findMeasurable(root: StateRoot, id: string): Measurable {
  const found = findContainer(root, id);
  const { init, cgroup, ownsCgroup } = found.record;
  const lives = ['created', 'running', 'paused'].includes(found.status);
  if (!lives || init === undefined || cgroup === undefined || !ownsCgroup) {
    throw new TsrunError('state', `container not running: ${id} is ${found.status}`);
  }
  const ownsNetwork = hasNetwork(found);
  return {
    id,
    init,
    cgroup,
    read: () => ({
      ...readCgroupStats(cgroup),
      network: ownsNetwork ? readNetworkStats(init) : undefined,
      resctrl: resctrlStats(found.record),
    }),
  };
}

/** True unless it is in the network namespace of its caller; an engine may have made one for it. */
function hasNetwork({ folder }: Container): boolean {
  const { text, file } = storedConfig(folder);
  const { linux } = parseDocument(text, file) as Config;
  return linux?.namespaces?.some(({ type }) => type === 'network') ?? false;
}

/** resctrl may have been unmounted since: no reason to tell nothing of the rest. */
function resctrlStats({ resctrl }: ContainerRecord): ResctrlStats | undefined {
  const root = resctrl === undefined ? undefined : findResctrl();
  return resctrl === undefined || root === undefined ? undefined : readResctrlStats(root, resctrl);
}
