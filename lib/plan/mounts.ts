/** linux mounts of the config, in its order (config.md, "Mounts"; mount(2), fsopen(2), mount_setattr(2)). */
import { TsrunError } from '../core/error.ts';
import { mountAttributes } from '../config/mount-options.ts';
import type { ParsedMountOptions } from '../config/mount-options.ts';
import { cgroupMounts } from './cgroup-mounts.ts';
import type { Draft } from './draft.ts';
import { labelAfterMount, labelOption } from './labels.ts';
import { isBind, readMount, readonlyRemount } from './mount-entry.ts';
import type { MountEntry, MountOps } from './mount-entry.ts';
import { covers, fromBundle } from './paths.ts';
import { bindSource, wantsIdmap } from './sources.ts';
import { mountFlags } from './wire.ts';
import type { Op, OpOf } from './wire.ts';

/** All mounts of the config, and those of the command. Without a mount namespace there are none: they would be the host's. */
export function compileMounts(draft: Draft): MountOps {
  const mounts = draft.config.mounts ?? [];
  if (!draft.ownMounts) {
    if (mounts.length > 0) {
      draft.warn('/mounts', 'nothing is mounted: the container has no mount namespace of its own');
    }
    return { ops: [], readonlyLater: [] };
  }
  const ops: Op[] = [];
  let readonlyLater: OpOf<'remount'>[] = [];
  const all = [
    ...mounts.map((mount, index) => ({ mount, pointer: `/mounts/${index}` })),
    ...(draft.options.extraMounts ?? []).map((mount) => ({ mount, pointer: '' })),
  ];
  all.forEach(({ mount, pointer }) => {
    const entry = readMount(mount, pointer);
    // What this one hides cannot be found later; nothing more can be made in it anyway.
    const hidden = readonlyLater.filter(({ destination }) => covers(entry.destination, destination));
    if (hidden.length > 0) {
      ops.push(...hidden);
      readonlyLater = readonlyLater.filter((op) => !hidden.includes(op));
    }
    const compiled = compileMount(draft, entry);
    ops.push(...compiled.ops);
    readonlyLater.push(...compiled.readonlyLater);
  });
  return { ops, readonlyLater };
}

function compileMount(draft: Draft, entry: MountEntry): MountOps {
  const { mount, options, pointer } = entry;
  const bind = isBind(mount, options);
  if (options.remount) return { ops: [remount(entry, bind)], readonlyLater: [] };
  if (bind) return bindMount(draft, entry);
  if (wantsIdmap(mount, options)) {
    throw new TsrunError('config', 'only bind mounts can have id mappings', { pointer });
  }
  if (mount.type === undefined || mount.type === '') {
    throw new TsrunError('config', `mount on ${entry.destination} has neither a type nor the option bind`, {
      pointer,
    });
  }
  if (mount.type === 'cgroup') return cgroupMounts(draft, entry);
  return newFilesystem(draft, entry, mount.type);
}

/** tmpfs and /dev are filled by mounts and devices that come later, so they must not be read-only yet. */
function delaysReadonly(entry: MountEntry): boolean {
  return entry.mount.type === 'tmpfs' || entry.destination === '/dev';
}

interface Attributes {
  set: number;
  recursiveSet: number;
  readonlyLater: OpOf<'remount'>[];
}

function splitReadonly(entry: MountEntry): Attributes {
  const { attributes, recursiveAttributes } = entry.options;
  const all = { set: attributes.set, recursiveSet: recursiveAttributes.set, readonlyLater: [] };
  if (!delaysReadonly(entry)) return all;
  const { readonly } = mountAttributes;
  if (((all.set | all.recursiveSet) & readonly) === 0) return all;
  return {
    set: all.set & ~readonly,
    recursiveSet: all.recursiveSet & ~readonly,
    readonlyLater: [readonlyRemount(entry)],
  };
}

function newFilesystem(draft: Draft, entry: MountEntry, type: string): MountOps {
  const { mount, pointer, destination, options } = entry;
  if (options.tmpcopyup && type !== 'tmpfs') {
    draft.warn(`${pointer}/options`, `tmpcopyup is for tmpfs only, ${type} is left empty`);
  }
  const { set, recursiveSet, readonlyLater } = splitReadonly(entry);
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
      ...labelOption(draft, entry, type),
    ],
    attributes: set,
    recursiveSet,
    recursiveClear: options.recursiveAttributes.clear,
    propagation: options.propagation,
    flags: filesystemFlags(entry, type),
  };
  return { ops: [op, ...labelAfterMount(draft, entry, type)], readonlyLater };
}

function filesystemFlags(entry: MountEntry, type: string): number {
  const { options } = entry;
  // What looks like procfs and sysfs is written to with the container's labels: it must be where it seems to be.
  const kernelFiles = type === 'proc' || type === 'sysfs' ? mountFlags.noSymlinks : 0;
  const copyUp = options.tmpcopyup && type === 'tmpfs' ? mountFlags.copyUp : 0;
  return kernelFiles | copyUp | destinationFlags(entry);
}

/**
 * Files below /proc that only say how many resources there are: mounting over them fools nobody but programs
 * that would size themselves by the host. Everything else there steers security modules or the kernel.
 */
const harmlessProc: ReadonlySet<string> = new Set([
  '/proc/cpuinfo',
  '/proc/diskstats',
  '/proc/loadavg',
  '/proc/meminfo',
  '/proc/net/dev',
  '/proc/slabinfo',
  '/proc/stat',
  '/proc/swaps',
  '/proc/uptime',
  '/proc/sys/crypto/fips_enabled',
  '/proc/sys/kernel/ns_last_pid',
]);

/** What the destination may be and how it is found, whatever is mounted there. */
function destinationFlags({ destination, options }: MountEntry): number {
  return (
    (harmlessProc.has(destination) ? mountFlags.allowProc : 0) |
    (options.destinationNoFollow ? mountFlags.destinationNoFollow : 0)
  );
}

function bindMount(draft: Draft, entry: MountEntry): MountOps {
  const { mount, pointer, destination, options } = entry;
  refuseFilesystemOptions(entry);
  if (mount.source === undefined || mount.source === '') {
    throw new TsrunError('config', `bind mount on ${destination} has no source`, { pointer });
  }
  const source = fromBundle(draft.options.bundle, mount.source);
  const recursive = options.bind === 'rbind' || (options.bind === 'none' && mount.type === 'rbind');
  const flags =
    (recursive ? mountFlags.recursive : 0) |
    (options.sourceNoFollow || options.copySymlink ? mountFlags.sourceNoFollow : 0) |
    (options.copySymlink ? mountFlags.copySymlink : 0) |
    (options.ensureDirectory ? mountFlags.ensureDirectory : 0) |
    (options.idmap === 'ridmap' ? mountFlags.idmapRecursive : 0) |
    destinationFlags(entry);
  const { set, recursiveSet, readonlyLater } = splitReadonly(entry);
  const op: OpOf<'mountBind'> = {
    op: 'mountBind',
    origin: pointer,
    destination,
    ...bindSource(draft, mount, options, source, flags, pointer),
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

const flagAttributes =
  mountAttributes.readonly |
  mountAttributes.nosuid |
  mountAttributes.nodev |
  mountAttributes.noexec |
  mountAttributes.nosymfollow;
const atimeAttributes = mountAttributes.atimeField | mountAttributes.nodiratime;

/**
 * What a bind mount has from its source and its options do not name. As with runc, options that name any attribute
 * say how the whole mount shall be, and without such options it is as its source is. The access time counts as
 * one, and stays unless the options say how it shall be.
 */
function unnamedAttributes({ attributes: { set, clear } }: ParsedMountOptions): number {
  if ((set | clear) === 0) return 0;
  const atime = (clear & mountAttributes.atimeField) !== 0 || (set & mountAttributes.nodiratime) !== 0;
  return (flagAttributes | (atime ? atimeAttributes : 0)) & ~(set | clear);
}

/**
 * A bind mount shows a filesystem that is mounted already: what is for the filesystem (`size=1m`) comes too late
 * and changes nothing. A bare word may be a flag of the mount in a wrong spelling, though.
 */
function refuseFilesystemOptions({ mount, pointer, options }: MountEntry): void {
  const option = options.data.find((name) => !name.includes('='));
  if (option === undefined) return;
  const index = (mount.options ?? []).indexOf(option);
  throw new TsrunError('config', `option '${option}' is for filesystems, a bind mount cannot have it`, {
    pointer: `${pointer}/options/${index}`,
  });
}

function remount(entry: MountEntry, bind: boolean): OpOf<'remount'> {
  const { pointer, destination, options } = entry;
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
    flags: destinationFlags(entry),
  };
}
