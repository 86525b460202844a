import { error, type Report } from '../../core/finding.ts';
import { hasNamespace } from '../namespaces.ts';
import { pointerTo } from '../../core/pointer.ts';
import { isSysctlPath, sysctlNamespace, sysctlPath } from '../sysctl.ts';
import type { Config } from '../types.ts';

/** Only parameters of a namespace the container does not share with the host may be set. */
export function sysctl({ linux, domainname }: Config, report: Report): void {
  for (const [name, value] of Object.entries(linux?.sysctl ?? {})) {
    const pointer = pointerTo('/linux/sysctl', name);
    const path = sysctlPath(name);
    if (!isSysctlPath(path)) {
      report(error(pointer, 'is not the name of a kernel parameter'));
      continue;
    }
    const namespace = sysctlNamespace(path);
    if (namespace === undefined) {
      report(error(pointer, 'is a parameter of the whole host, not of a namespace'));
    } else if (!hasNamespace(linux, namespace)) {
      report(
        error(pointer, `needs a namespace of type "${namespace}"; without it this would change the host`),
      );
    } else if (path === 'kernel/hostname') {
      report(error(pointer, 'the name of the container is set by the property "hostname"'));
    } else if (path === 'kernel/domainname' && (domainname ?? '') !== '' && domainname !== value) {
      report(error(pointer, 'is not what the property "domainname" says'));
    }
  }
}
