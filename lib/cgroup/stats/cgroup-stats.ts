import { TsrunError } from '../../core/error.ts';
import { type CgroupRecord, controllerDirectory } from '../record.ts';
import type { CgroupStats } from './types.ts';
import { readStatsV1 } from './v1.ts';
import { readStatsV2 } from './v2.ts';

/**
 * The statistics of a container's cgroups; zeros for cgroups that have been removed.
 * @throws TsrunError 'unsupported' for a container without cgroups
 */
export function readCgroupStats(record: CgroupRecord): CgroupStats {
  if (record.driver === 'disabled') {
    throw new TsrunError('unsupported', 'the container has no cgroup, so nobody counts what it uses');
  }
  if (record.version === 1) return readStatsV1((controller) => controllerDirectory(record, controller));
  const directory = controllerDirectory(record, '');
  if (directory === undefined) {
    throw new TsrunError('corrupt', 'the record of the cgroup has no cgroup v2 directory');
  }
  return readStatsV2(directory);
}
