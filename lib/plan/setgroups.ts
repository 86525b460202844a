import type { Draft } from './draft.ts';

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
