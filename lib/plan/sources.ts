/** The sources of bind mounts: who clones them, and through which id maps. */
import { TsrunError } from '../errors.ts';
import type { ParsedMountOptions } from '../spec/mount-options.ts';
import type { Mount } from '../spec/types.ts';
import type { Draft } from './draft.ts';
import { idMapText, parseIdmapOption } from './idmaps.ts';
import type { IdMaps } from './idmaps.ts';
import { mountFlags, noSlot } from './wire.ts';

/**
 * The slot of a clone of `path` that process A makes, or noSlot when process B shall clone it itself.
 *
 * A clones what B could not: in a user namespace B is a user who may have no right to walk to the source, and
 * whom the kernel forbids to take one mount without those below it. Without power over the host A can do no
 * more than B.
 */
export function sourceSlot(draft: Draft, path: string, flags: number, origin: string): number {
  return draft.inUserNamespace && draft.facts.privileged ? cloneInA(draft, path, flags, origin) : noSlot;
}

function cloneInA(draft: Draft, path: string, flags: number, origin: string): number {
  const slot = draft.slot(origin);
  const cloneFlags = flags & (mountFlags.recursive | mountFlags.sourceNoFollow);
  draft.sources.push({ op: 'cloneTree', origin, slot, path, flags: cloneFlags });
  return slot;
}

/** True when files of the mount shall have other owners than their filesystem says (config.md, "idmap"). */
export function wantsIdmap(mount: Mount, options: ParsedMountOptions): boolean {
  return (
    options.idmap !== 'none' || (mount.uidMappings ?? []).length > 0 || (mount.gidMappings ?? []).length > 0
  );
}

/**
 * As sourceSlot, with id maps. Always in A: only a detached mount that nobody has seen can get them, by somebody
 * with power over its filesystem (mount_setattr(2)).
 */
export function idmappedSlot(
  draft: Draft,
  mount: Mount,
  options: ParsedMountOptions,
  path: string,
  flags: number,
  pointer: string,
): number {
  const userSlot = idmapUserSlot(draft, mount, options, pointer);
  const slot = cloneInA(draft, path, flags, pointer);
  const recursive = options.idmap === 'ridmap' ? 1 : 0;
  draft.sources.push({ op: 'idmapTree', origin: pointer, slot, userSlot, recursive });
  return slot;
}

function idmapUserSlot(draft: Draft, mount: Mount, options: ParsedMountOptions, pointer: string): number {
  const { uidMappings: uid = [], gidMappings: gid = [] } = mount;
  if (options.idmapMappings !== undefined) {
    const maps = parseIdmapOption(options.idmapMappings, containerMaps(draft), `${pointer}/options`);
    return userSlotFor(draft, maps, `${pointer}/options`);
  }
  if (uid.length > 0 && gid.length > 0) return userSlotFor(draft, { uid, gid }, `${pointer}/uidMappings`);
  if (uid.length > 0 || gid.length > 0) {
    throw new TsrunError('config', 'a mount needs uidMappings and gidMappings together', { pointer });
  }
  if (draft.namespaces.user === 'new') return userSlotFor(draft, containerMaps(draft), `${pointer}/options`);
  const joined = draft.namespaceSlots.get('user');
  if (joined !== undefined) return joined;
  throw new TsrunError(
    'config',
    `mount option ${options.idmap} needs mappings, or a user namespace to take them from`,
    {
      pointer: `${pointer}/options`,
      hint: 'give the mount uidMappings and gidMappings',
    },
  );
}

function containerMaps({ config }: Draft): IdMaps {
  return { uid: config.linux?.uidMappings ?? [], gid: config.linux?.gidMappings ?? [] };
}

/** The slot of a user namespace with these maps, made once for all mounts that want them. */
function userSlotFor(draft: Draft, maps: IdMaps, origin: string): number {
  const uidMap = idMapText(maps.uid);
  const gidMap = idMapText(maps.gid);
  const key = `${uidMap}/${gidMap}`;
  const known = draft.idmapSlots.get(key);
  if (known !== undefined) return known;
  const slot = draft.slot(origin);
  draft.idmapSlots.set(key, slot);
  draft.sources.push({ op: 'makeUserNamespace', origin, slot, uidMap, gidMap });
  return slot;
}
