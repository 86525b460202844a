import { missingHelper } from '../engine/write-id-maps.ts';
import { errnoText } from '../core/errno.ts';
import { capabilityMask } from '../config/capabilities.ts';
import { error } from '../core/finding.ts';
import { findNamespace, hasNewNamespace, namespaces } from '../config/namespaces.ts';
import { pointerTo } from '../core/pointer.ts';
import { sysctlIn } from '../config/sysctl.ts';
import type { HostCheck } from './host-view.ts';

/** Those that are joined must be there, those that are made must be known to the kernel. */
export const namespacesExist: HostCheck = ({ config: { linux }, host }, report) => {
  for (const [i, { type, path = '' }] of (linux?.namespaces ?? []).entries()) {
    const pointer = pointerTo('/linux/namespaces', i);
    if (host.namespaces?.has(namespaces[type].procName) === false) {
      report(error(`${pointer}/type`, 'this kernel has no such namespaces'));
    } else if (path !== '') {
      const errno = host.unreachable(path);
      if (errno !== undefined || !host.isNamespace(path)) {
        report(error(`${pointer}/path`, errno === undefined ? 'is not a namespace' : errnoText(errno)));
        continue;
      }
      const sysctl = sysctlIn(linux, type);
      if (sysctl === undefined || !host.isOwnNamespace(path, type)) continue;
      const reason = `is the namespace tsrun itself is in, where sysctl ${sysctl} would change the host`;
      report(error(`${pointer}/path`, reason));
    }
  }
};

/** user_namespaces(7): who may make namespaces, and how many user namespaces there may be. */
export const namespacesAllowed: HostCheck = ({ config: { linux }, host }, report) => {
  if (hasNewNamespace(linux, 'user')) {
    for (const name of ['user/max_user_namespaces', 'kernel/unprivileged_userns_clone']) {
      // The second one, of some distributions, is for those without privileges only.
      if (name.startsWith('kernel/') && host.facts.privileged) continue;
      if (host.sysctl(name) !== 0n) continue;
      const sysctl = name.replaceAll('/', '.');
      report(error('/linux/namespaces', `this host allows no user namespaces: the sysctl ${sysctl} is 0`));
    }
    return;
  }
  if (findNamespace(linux, 'user') !== undefined) return;
  if ((host.capabilities.permitted & capabilityMask(['CAP_SYS_ADMIN'])) !== 0n) return;
  if ((linux?.namespaces ?? []).length === 0) return;
  const hint = 'Run tsrun as root, or add a namespace of type "user" (tsrun spec --rootless).';
  report(error('/linux/namespaces', 'without privileges these namespaces cannot be had', hint));
};

/** What writes the maps of a user namespace for an unprivileged tsrun. */
export const idMapHelpers: HostCheck = ({ config: { linux }, host }, report) => {
  for (const kind of ['uid', 'gid'] as const) {
    const missing = missingHelper(kind, linux, host.facts);
    if (missing !== undefined) report(error(`/linux/${kind}Mappings`, missing.message, missing.hint));
  }
};
