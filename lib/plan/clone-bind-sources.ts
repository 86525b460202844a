/** The sources of bind mounts: where they are looked for, who clones them, and through which id maps. */
import { validated } from '../core/assert.ts';
import { fromBundle, insideOf, tidyPath } from '../core/paths.ts';
import { type IdMaps, idMapText, parseIdmapOption } from '../config/id-maps.ts';
import { type ParsedMount, wantsIdmap } from '../config/mounts.ts';
import type { Draft } from './draft.ts';
import type { NamespaceSlots } from './namespaces.ts';
import type { PlanOptions } from './types.ts';
import { mountFlags, noSlot, type Op, type OpOf } from './wire.ts';

/** The part of a mountBind that says where its source comes from. */
export type Source = Pick<OpOf<'mountBind'>, 'source' | 'slot' | 'inside' | 'userSlot'>;

/** What a clone of the source must know of the mount. */
const cloneFlags = mountFlags.recursive | mountFlags.sourceNoFollow;

/** Decides where the sources of bind mounts come from, and collects what process A does to provide them. */
export class BindSources {
  /** Operations of process A, which make detached mounts before A leaves the caller's namespaces. */
  readonly ops: Op[] = [];
  readonly #draft: Draft;
  readonly #options: PlanOptions;
  readonly #joined: NamespaceSlots;
  /** Slots of the user namespaces made for idmapped mounts, by their maps. */
  readonly #userSlots = new Map<string, number>();

  constructor(draft: Draft, options: PlanOptions, joined: NamespaceSlots) {
    this.#draft = draft;
    this.#options = options;
    this.#joined = joined;
  }

  /** The source of a bind mount: a path of the host, which may be a place in the rootfs. */
  sourceOf(mount: ParsedMount, flags: number): Source {
    const { pointer } = mount;
    const source = fromBundle(this.#options.bundle, validated(mount.mount.source, `${pointer}/source`));
    const inside = this.#insideRootfs(source);
    const userSlot = wantsIdmap(mount) ? this.#userSlotOf(mount) : noSlot;
    if (inside !== undefined) {
      const cloned = userSlot !== noSlot || this.#draft.inUserNamespace;
      const slot = cloned ? this.#cloneInside(inside, userSlot, flags, pointer) : noSlot;
      return { source, slot, inside, userSlot };
    }
    const slot =
      userSlot === noSlot
        ? this.slotOf(source, flags, pointer)
        : this.#idmappedSlot(mount, source, userSlot, flags);
    return { source, slot, inside: '', userSlot: noSlot };
  }

  /**
   * The slot of a clone of `path` that process A makes, or noSlot when process B shall clone it itself.
   *
   * A clones what B could not: in a user namespace B is a user who may have no right to walk to the source, and
   * whom the kernel forbids to take one mount without those below it. Without power over the host A can do no
   * more than B.
   */
  slotOf(path: string, flags: number, origin: string): number {
    const { inUserNamespace, facts } = this.#draft;
    return inUserNamespace && facts.privileged ? this.#cloneTree(path, flags, origin) : noSlot;
  }

  #cloneTree(path: string, flags: number, origin: string): number {
    const slot = this.#draft.slot(origin);
    this.ops.push({ op: 'cloneTree', origin, slot, path, flags: flags & cloneFlags });
    return slot;
  }

  /**
   * Always in A: only a detached mount that nobody has seen can get id maps, by somebody with power over its
   * filesystem (mount_setattr(2)).
   */
  #idmappedSlot({ options, pointer }: ParsedMount, path: string, userSlot: number, flags: number): number {
    const slot = this.#cloneTree(path, flags, pointer);
    const recursive = options.idmap === 'ridmap' ? 1 : 0;
    this.ops.push({ op: 'idmapTree', origin: pointer, slot, userSlot, recursive });
    return slot;
  }

  /**
   * The path in the rootfs of a source that lies in it, or undefined. An earlier mount may have brought it there, so
   * B looks when it makes the mount. From the rootfs on the way is the image's, so no link of it may lead out.
   *
   * A rootfs that is / holds everything, and no image is between a path of the host and its file.
   */
  #insideRootfs(path: string): string | undefined {
    const { rootfs, bundle, sourcesInside } = this.#options;
    if (rootfs === '/') return undefined;
    const known = sourcesInside?.get(path);
    if (known !== undefined) return known;
    const named = tidyPath(fromBundle(bundle, this.#draft.config.root?.path ?? ''));
    const tidy = tidyPath(path);
    return insideOf(rootfs, tidy) ?? insideOf(named, tidy);
  }

  #cloneInside(path: string, userSlot: number, flags: number, origin: string): number {
    if (!this.#draft.facts.privileged) return noSlot;
    const slot = this.#draft.slot(origin);
    this.ops.push({
      op: 'cloneInside',
      origin,
      slot,
      root: this.#options.rootfs,
      path,
      userSlot,
      flags: flags & (cloneFlags | mountFlags.idmapRecursive),
    });
    return slot;
  }

  /** The user namespace whose maps an idmapped mount has: its own, those of its option, or the container's. */
  #userSlotOf({ mount, options, pointer }: ParsedMount): number {
    const { config, namespaces } = this.#draft;
    const container = { uid: config.linux?.uidMappings ?? [], gid: config.linux?.gidMappings ?? [] };
    const origin = `${pointer}/options`;
    if (options.idmapMappings !== undefined) {
      const maps = parseIdmapOption(options.idmapMappings, container);
      return this.#userSlotFor(validated(typeof maps === 'string' ? undefined : maps, origin), origin);
    }
    const { uidMappings: uid = [], gidMappings: gid = [] } = mount;
    if (uid.length > 0) return this.#userSlotFor({ uid, gid }, `${pointer}/uidMappings`);
    if (namespaces.user === 'new') return this.#userSlotFor(container, origin);
    return validated(this.#joined.get('user'), origin);
  }

  /** The slot of a user namespace with these maps, made once for all mounts that want them. */
  #userSlotFor(maps: IdMaps, origin: string): number {
    const uidMap = idMapText(maps.uid);
    const gidMap = idMapText(maps.gid);
    const key = `${uidMap}/${gidMap}`;
    const known = this.#userSlots.get(key);
    if (known !== undefined) return known;
    const slot = this.#draft.slot(origin);
    this.#userSlots.set(key, slot);
    this.ops.push({ op: 'makeUserNamespace', origin, slot, uidMap, gidMap });
    return slot;
  }
}
