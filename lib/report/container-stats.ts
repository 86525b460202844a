import { readCgroupStats } from '../cgroup/stats/cgroup-stats.ts';
import type { CgroupStats } from '../cgroup/stats/types.ts';
import type { CgroupRecord } from '../cgroup/record.ts';
import { TsrunError } from '../core/error.ts';
import { findResctrl } from '../resctrl/mount.ts';
import { readResctrlStats, type ResctrlStats } from '../resctrl/stats.ts';
import { hasNamespace } from '../config/namespaces.ts';
import { findContainer } from '../state/find-container.ts';
import type { ContainerFolder } from '../state/folder.ts';
import { type NetworkStats, readNetworkStats } from './network-stats.ts';
import type { ContainerRecord, ProcessRef } from '../state/record.ts';
import type { StateRoot } from '../state/state-root.ts';
import { readStoredConfig } from '../state/stored-config.ts';

/** What a container has used so far. */
export interface ContainerStats extends CgroupStats {
  /** Undefined in its caller's network namespace, whose counters are not the container's. */
  network: NetworkStats[] | undefined;
  /** Undefined for a container without a class of Intel RDT. */
  resctrl: ResctrlStats | undefined;
}

/** A container whose statistics can be read. */
export interface StatsSource {
  id: string;
  init: ProcessRef;
  cgroup: CgroupRecord;
  read: () => ContainerStats;
}

/**
 * Finds a container and what its statistics are read from.
 *
 * @throws TsrunError 'state' with the words `container not running` for one that has stopped, and those of
 * findContainer()
 */
export function findStatsSource(root: StateRoot, id: string): StatsSource {
  const { folder, record, status } = findContainer(root, id);
  const { init, cgroup, ownsCgroup } = record;
  const lives = ['created', 'running', 'paused'].includes(status);
  if (!lives || init === undefined || cgroup === undefined || !ownsCgroup) {
    throw new TsrunError('state', `container not running: ${id} is ${status}`);
  }
  const ownNetwork = record.ownNetwork ?? hasNetwork(folder);
  return {
    id,
    init,
    cgroup,
    read: () => ({
      ...readCgroupStats(cgroup),
      network: ownNetwork ? readNetworkStats(init) : undefined,
      resctrl: resctrlStats(record),
    }),
  };
}

/** ContainerRecord.ownNetwork for a record without it. */
function hasNetwork(folder: ContainerFolder): boolean {
  return hasNamespace(readStoredConfig(folder).linux, 'network');
}

/** Undefined also when resctrl has been unmounted: the other statistics can still be read. */
function resctrlStats({ resctrl }: ContainerRecord): ResctrlStats | undefined {
  const root = resctrl === undefined ? undefined : findResctrl();
  return resctrl === undefined || root === undefined ? undefined : readResctrlStats(root, resctrl);
}
