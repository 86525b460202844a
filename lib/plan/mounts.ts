/** The mounts of the config, in its order (config.md, "Mounts"; mount(2), fsopen(2), mount_setattr(2)). */
import { validated } from '../core/assert.ts';
import { covers } from '../core/paths.ts';
import {
  atimeAttributes,
  flagAttributes,
  mountAttributes,
  type ParsedMountOptions,
} from '../config/mount-options.ts';
import { type ParsedMount, parseMount, parseMounts, replaceableProcFiles } from '../config/mounts.ts';
import type { BindSources } from './clone-bind-sources.ts';
import { cgroupMounts } from './cgroup-mounts.ts';
import type { Draft } from './draft.ts';
import { type MountOps, splitReadonly } from './readonly-mounts.ts';
import { labelAfterMount, labelOption } from './security-modules.ts';
import type { PlanOptions } from './types.ts';
import { mountFlags, type Op, type OpOf } from './wire.ts';

/** All mounts of the config, and those of the command. Without a mount namespace there are none: they would be the host's. */
export function compileMounts(draft: Draft, options: PlanOptions, sources: BindSources): MountOps {
  if (!draft.ownMounts) return { ops: [], readonlyLater: [] };
  const ops: Op[] = [];
  let readonlyLater: OpOf<'remount'>[] = [];
  const extra = (options.extraMounts ?? []).map((mount) => parseMount(mount, ''));
  for (const mount of [...parseMounts(draft.config), ...extra]) {
    // A mount that this one covers cannot be found later. Nothing more can be made in it, so it becomes read-only now.
    const covered = readonlyLater.filter(({ destination }) => covers(mount.destination, destination));
    ops.push(...covered);
    readonlyLater = readonlyLater.filter((op) => !covered.includes(op));
    const compiled = compileMount(draft, options, sources, mount);
    ops.push(...compiled.ops);
    readonlyLater.push(...compiled.readonlyLater);
  }
  return { ops, readonlyLater };
}

function compileMount(
  draft: Draft,
  { cgroupPaths }: PlanOptions,
  sources: BindSources,
  mount: ParsedMount,
): MountOps {
  if (mount.options.remount) return { ops: [remount(mount)], readonlyLater: [] };
  if (mount.bind) return bindMount(sources, mount);
  const type = validated(mount.mount.type, `${mount.pointer}/type`);
  return type === 'cgroup' ? cgroupMounts(draft, mount, cgroupPaths) : newFilesystem(draft, mount, type);
}

function newFilesystem(draft: Draft, parsed: ParsedMount, type: string): MountOps {
  const { mount, pointer, destination, options } = parsed;
  const { set, recursiveSet, readonlyLater } = splitReadonly(parsed);
  const delayed = readonlyLater.length > 0;
  const op: OpOf<'mountFilesystem'> = {
    op: 'mountFilesystem',
    origin: pointer,
    destination,
    type,
    source: mount.source === undefined || mount.source === '' ? type : mount.source,
    // `rw` is how a new filesystem is anyway. mount(2) with MS_RDONLY says it to the filesystem and the mount.
    options: [
      ...options.superblock.filter((option) => option !== 'rw' && !(delayed && option === 'ro')),
      ...options.data,
      ...labelOption(draft, parsed, type),
    ],
    attributes: set,
    recursiveSet,
    recursiveClear: options.recursiveAttributes.clear,
    propagation: options.propagation,
    flags: filesystemFlags(parsed, type),
  };
  return { ops: [op, ...labelAfterMount(draft, parsed, type)], readonlyLater };
}

function filesystemFlags(mount: ParsedMount, type: string): number {
  // Labels and sysctls are written through procfs and sysfs: they must be where they seem to be.
  const kernelFiles = type === 'proc' || type === 'sysfs' ? mountFlags.noSymlinks : 0;
  const copyUp = mount.options.tmpcopyup && type === 'tmpfs' ? mountFlags.copyUp : 0;
  return kernelFiles | copyUp | destinationFlags(mount);
}

/** What the destination may be and how it is found, whatever is mounted there. */
function destinationFlags({ destination, options }: ParsedMount): number {
  return (
    (replaceableProcFiles.has(destination) ? mountFlags.allowProc : 0) |
    (options.destinationNoFollow ? mountFlags.destinationNoFollow : 0)
  );
}

function bindMount(sources: BindSources, mount: ParsedMount): MountOps {
  const { pointer, destination, options } = mount;
  const flags =
    (options.bind === 'rbind' ? mountFlags.recursive : 0) |
    (options.sourceNoFollow || options.copySymlink ? mountFlags.sourceNoFollow : 0) |
    (options.copySymlink ? mountFlags.copySymlink : 0) |
    (options.ensureDirectory ? mountFlags.ensureDirectory : 0) |
    (options.idmap === 'ridmap' ? mountFlags.idmapRecursive : 0) |
    destinationFlags(mount);
  const { set, recursiveSet, readonlyLater } = splitReadonly(mount);
  const op: OpOf<'mountBind'> = {
    op: 'mountBind',
    origin: pointer,
    destination,
    ...sources.sourceOf(mount, flags),
    attributesSet: set,
    attributesClear: options.attributes.clear,
    attributesUnnamed: unnamedAttributes(options),
    recursiveSet,
    recursiveClear: options.recursiveAttributes.clear,
    propagation: options.propagation,
    flags,
  };
  return { ops: [op], readonlyLater };
}

/**
 * The attributes that a bind mount has from its source and that its options do not name. As with runc, a mount whose
 * options name any attribute gets only what they name; without such options it stays as its source is. The access time
 * counts as one attribute, and changes only when the options name it.
 */
function unnamedAttributes({ attributes: { set, clear } }: ParsedMountOptions): number {
  if ((set | clear) === 0) return 0;
  const atime = (clear & mountAttributes.atimeField) !== 0 || (set & mountAttributes.nodiratime) !== 0;
  return (flagAttributes | (atime ? atimeAttributes : 0)) & ~(set | clear);
}

function remount(mount: ParsedMount): OpOf<'remount'> {
  const { pointer, destination, options, bind } = mount;
  return {
    op: 'remount',
    origin: pointer,
    destination,
    // With `bind` only this mount changes, not the filesystem behind it (mount(2), "MS_REMOUNT").
    options: bind ? [] : [...options.superblock, ...options.data],
    attributesSet: options.attributes.set,
    attributesClear: options.attributes.clear,
    recursiveSet: options.recursiveAttributes.set,
    recursiveClear: options.recursiveAttributes.clear,
    propagation: options.propagation,
    flags: destinationFlags(mount),
  };
}
