/** The sources of bind mounts: where they are looked for, who clones them, and through which id maps. */
import { TsrunError } from '../core/error.ts';
import type { ParsedMountOptions } from '../config/mount-options.ts';
import type { Mount } from '../config/types.ts';
import type { Draft } from './draft.ts';
import { insideOf, tidyPath, fromBundle } from './paths.ts';
import { idMapText, parseIdmapOption } from './idmaps.ts';
import type { IdMaps } from './idmaps.ts';
import { mountFlags, noSlot } from './wire.ts';
import type { OpOf } from './wire.ts';

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

/** What a clone of the source must know of the mount. */
const cloneFlags = mountFlags.recursive | mountFlags.sourceNoFollow;

function cloneInA(draft: Draft, path: string, flags: number, origin: string): number {
  const slot = draft.slot(origin);
  draft.sources.push({ op: 'cloneTree', origin, slot, path, flags: flags & cloneFlags });
  return slot;
}

/** True when files of the mount shall have other owners than their filesystem says (config.md, "idmap"). */
export function wantsIdmap(mount: Mount, options: ParsedMountOptions): boolean {
  return (
    options.idmap !== 'none' || (mount.uidMappings ?? []).length > 0 || (mount.gidMappings ?? []).length > 0
  );
}

/** The part of a mountBind that says where its source comes from. */
export type Source = Pick<OpOf<'mountBind'>, 'source' | 'slot' | 'inside' | 'userSlot'>;

/** Where a bind mount's source comes from: `path` on the host, which may be a place in the rootfs. */
export function bindSource(
  draft: Draft,
  mount: Mount,
  options: ParsedMountOptions,
  path: string,
  flags: number,
  pointer: string,
): Source {
  const inside = sourceInside(draft, path);
  const idmap = wantsIdmap(mount, options);
  if (inside === undefined) {
    const slot = idmap
      ? idmappedSlot(draft, mount, options, path, flags, pointer)
      : sourceSlot(draft, path, flags, pointer);
    return { source: path, slot, inside: '', userSlot: noSlot };
  }
  const userSlot = idmap ? idmapUserSlot(draft, mount, options, pointer) : noSlot;
  const slot = idmap || draft.inUserNamespace ? cloneInside(draft, inside, userSlot, flags, pointer) : noSlot;
  return { source: path, slot, inside, userSlot };
}

/**
 * The path in the rootfs of a source that lies in it, or undefined. An earlier mount may have brought it there, so
 * B looks at its turn; and from the rootfs on the way is the image's, so no link of it may lead out.
 *
 * A rootfs that is / holds everything, and no image is between a path of the host and its file.
 */
function sourceInside({ config, options }: Draft, path: string): string | undefined {
  if (options.rootfs === '/') return undefined;
  const known = options.sourcesInside?.get(path);
  if (known !== undefined) return known;
  const named = tidyPath(fromBundle(options.bundle, config.root?.path ?? ''));
  const tidy = tidyPath(path);
  return insideOf(options.rootfs, tidy) ?? insideOf(named, tidy);
}

function cloneInside(draft: Draft, path: string, userSlot: number, flags: number, origin: string): number {
  if (!draft.facts.privileged) return noSlot;
  const slot = draft.slot(origin);
  draft.sources.push({
    op: 'cloneInside',
    origin,
    slot,
    root: draft.options.rootfs,
    path,
    userSlot,
    flags: flags & (cloneFlags | mountFlags.idmapRecursive),
  });
  return slot;
}

/**
 * As sourceSlot, with id maps. Always in A: only a detached mount that nobody has seen can get them, by somebody
 * with power over its filesystem (mount_setattr(2)).
 */
function idmappedSlot(
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
