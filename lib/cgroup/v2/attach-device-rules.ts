import { TsrunError } from '../../core/error.ts';
import { attachDeviceFilter } from '../../native/device-filter.ts';
import type { DeviceRule } from '../../config/types.ts';
import { devicesPointer } from '../device-rules.ts';
import { deviceProgram } from './device-program.ts';

/**
 * Makes the kernel apply device rules, and the defaults, to a cgroup v2 directory, in place of those it applied
 * before. Where it will not (bpf(2) may be forbidden to containers, and the kernel be built without it) that is an
 * error, unless the rules deny nothing.
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
