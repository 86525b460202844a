/** Users, groups and capabilities of the process (credentials(7), capabilities(7)). */
import { capabilityMask } from '../config/capabilities.ts';
import type { Process } from '../config/types.ts';
import { type Draft, originOf } from './draft.ts';
import type { Op } from './wire.ts';

/** Refuses groups that the process cannot get on this host. */
export function requireGroups(draft: Draft): void {
  const groups = draft.config.process?.user?.additionalGids ?? [];
  if (groups.length === 0 || !deniesSetgroups(draft)) return;
  const reason = 'additional groups cannot be set: this user namespace denies setgroups(2)';
  const hint = 'map more than one group, which needs newgidmap and an entry in /etc/subgid';
  draft.refuse('config', '/process/user/additionalGids', reason, hint);
}

/** Each step takes away what the one before needed; in any other order one of them fails, or leaves something. */
export function compilePrivileges(draft: Draft, processSpec: Process, filter: readonly Op[]): Op[] {
  const { capabilities, user = {}, noNewPrivileges } = processSpec;
  const origin = originOf(capabilities, '/process/capabilities');
  const { uid = 0, gid = 0, umask = 0o022, additionalGids = [] } = user;
  const noGroups = deniesSetgroups(draft);
  // The validation has warned of capabilities that a set cannot have (capabilities(7)).
  const permitted = capabilityMask(capabilities?.permitted);
  const inheritable = capabilityMask(capabilities?.inheritable);
  const ops: Op[] = [
    // Needs CAP_SETPCAP, which a change of user may take away.
    { op: 'boundingSet', origin, bounding: capabilityMask(capabilities?.bounding) },
    ...filter,
    {
      op: 'user',
      origin: originOf(processSpec.user, '/process/user'),
      uid,
      gid,
      // Docker names a group again that the user has anyway; the kernel would keep and show both.
      groups: [...new Set(additionalGids)],
      umask,
      noGroups: noGroups ? 1 : 0,
    },
    // A change of user to or from root rewrites the sets, so they come after it. Without the property there are
    // no capabilities at all, also for root.
    {
      op: 'capabilities',
      origin,
      effective: capabilityMask(capabilities?.effective) & permitted,
      permitted,
      inheritable,
      ambient: capabilityMask(capabilities?.ambient) & permitted & inheritable,
    },
  ];
  if (noNewPrivileges === true) ops.push({ op: 'noNewPrivileges', origin: '/process/noNewPrivileges' });
  return ops;
}

/**
 * True when setgroups(2) is denied to the container (user_namespaces(7)). An unprivileged user who maps only the
 * own group must deny it before writing gid_map; with ranges of /etc/subgid newgidmap(1) writes it and allows
 * setgroups.
 */
export function deniesSetgroups({ namespaces, facts, config }: Draft): boolean {
  if (facts.privileged) return false;
  // Root of a user namespace writes the maps itself, and a namespace inherits the denial from the one around it.
  if (facts.uid === 0) return facts.setgroupsDenied === true;
  // Whoever made the namespace that is joined has decided; without groups to set nothing depends on it.
  if (namespaces.user === 'joined') return (config.process?.user?.additionalGids ?? []).length === 0;
  const mappings = config.linux?.gidMappings ?? [];
  return mappings.length === 1 && mappings[0]?.size === 1;
}
