import { TsrunError } from '../../core/error.ts';
import { directoryIn } from '../locate.ts';
import type { CgroupRecord } from '../record.ts';
import type { CgroupStats } from './types.ts';
import { readStatsV1 } from './v1.ts';
import { readStatsV2 } from './v2.ts';

/** What the cgroups of a container say of it. What is removed meanwhile counts nothing. */
export function readCgroupStats(record: CgroupRecord): CgroupStats {
  if (record.driver === 'disabled') {
    throw new TsrunError('unsupported', 'the container has no cgroup, so nobody counts what it uses');
  }
  if (record.version === 1) return readStatsV1((controller) => directoryIn(record, controller));
  const directory = directoryIn(record, '');
  if (directory === undefined) {
    throw new TsrunError('corrupt', 'the record of the cgroup has no cgroup v2 directory');
  }
  return readStatsV2(directory);
}
