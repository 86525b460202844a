import { TsrunError } from '../errors.ts';
import type { CgroupManager, CgroupRecord } from './types.ts';

/** The manager of the cgroups in `record`; touches nothing before its functions are called. */
export function cgroupManager(record: CgroupRecord): CgroupManager {
  throw new TsrunError('unsupported', `cgroup driver ${record.driver} is not available`);
}
