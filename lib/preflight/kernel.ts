import { warning } from '../core/finding.ts';
import { pointerTo } from '../core/pointer.ts';
import { sysctlPath } from '../config/sysctl.ts';
import type { HostCheck } from './host-view.ts';

/** Parameters of the container's namespaces; most of them exist in every namespace of the kind. */
export const sysctls: HostCheck = ({ config: { linux }, host }, report) => {
  for (const name of Object.keys(linux?.sysctl ?? {})) {
    const path = sysctlPath(name);
    // Interfaces of the container need not be among those of the host.
    if (/^net\/ipv[46]\/(?:conf|neigh)\//.test(path) || host.hasSysctl(path)) continue;
    const reason = `this kernel may not have it: there is no /proc/sys/${path} here`;
    report(warning(pointerTo('/linux/sysctl', name), reason));
  }
};

/** config-linux.md, "Mount Label": nothing to label with while SELinux is off. */
export const mountLabel: HostCheck = ({ config: { linux }, host }, report) => {
  // The kernel registers it only where SELinux is on.
  if ((linux?.mountLabel ?? '') === '' || host.facts.filesystems.has('selinuxfs')) return;
  report(warning('/linux/mountLabel', 'ignored: SELinux is off on this host'));
};
