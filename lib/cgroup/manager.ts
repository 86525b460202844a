import { TsrunError } from '../errors.ts';
import { ManagerDisabled } from './manager-disabled.ts';
import { ManagerV1 } from './manager-v1.ts';
import type { CgroupManager, CgroupRecord } from './types.ts';

/** The manager of the cgroups in `record`; touches nothing before its functions are called. */
export function cgroupManager(record: CgroupRecord): CgroupManager {
  if (record.driver === 'disabled') return new ManagerDisabled();
  if (record.driver === 'cgroupfs' && record.version === 1) return new ManagerV1(record);
  throw new TsrunError(
    'unsupported',
    `cgroup driver ${record.driver} is not available for cgroup v${String(record.version)}`,
  );
}
