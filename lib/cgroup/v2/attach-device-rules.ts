import { TsrunError } from '../../core/error.ts';
import { attachDeviceFilter } from '../../native/device-filter.ts';
import type { DeviceRule } from '../../config/types.ts';
import { devicesPointer } from '../device-rules.ts';
import { deviceProgram } from './device-program.ts';

/**
 * Applies device rules and the defaults to a cgroup v2 directory, in place of the rules before. When the kernel refuses
 * (bpf(2) may be forbidden, or not built in) and the rules deny nothing, that is no error.
 * @throws TsrunError 'config' for a rule that is wrong, else what attachDeviceFilter() throws
 */
export function attachDeviceRules(directory: string, rules: readonly DeviceRule[]): void {
  const { code, denies } = deviceProgram(rules);
  try {
    attachDeviceFilter(directory, code);
  } catch (error) {
    if (!(error instanceof TsrunError)) throw error;
    if (!denies) return;
    throw error.with({ pointer: devicesPointer });
  }
}
