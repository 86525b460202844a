import { assertValid } from '../core/assert.ts';
import { pointerTo } from '../core/pointer.ts';
import { isSysctlPath, sysctlPath } from '../config/sysctl.ts';
import type { Draft } from './draft.ts';
import type { Op } from './wire.ts';

/** Kernel parameters of the container's namespaces (config-linux.md, "Sysctl"). */
export function compileSysctl({ config }: Draft): Op[] {
  return Object.entries(config.linux?.sysctl ?? {}).map(([name, value]): Op => {
    const origin = pointerTo('/linux/sysctl', name);
    const path = sysctlPath(name);
    assertValid(isSysctlPath(path), origin);
    return { op: 'sysctl', origin, path, value };
  });
}
