import { TsrunError } from '../core/error.ts';
import { attachDeviceRules } from './v2/attach-device-rules.ts';
import { ManagerDisabled } from './disabled-manager.ts';
import type { CgroupManager } from './manager.ts';
import { ManagerV1 } from './v1/manager.ts';
import { ManagerV2 } from './v2/manager.ts';
import type { CgroupRecord } from './record.ts';

/**
 * The manager of the cgroups in `record`. Making one does no I/O.
 * @throws TsrunError 'unsupported' for the systemd driver
 */
export function cgroupManager(record: CgroupRecord): CgroupManager {
  if (record.driver === 'disabled') return new ManagerDisabled(record);
  if (record.driver === 'cgroupfs') {
    return record.version === 1 ? new ManagerV1(record) : new ManagerV2(record, attachDeviceRules);
  }
  throw new TsrunError('unsupported', 'the systemd cgroup driver is not available');
}
