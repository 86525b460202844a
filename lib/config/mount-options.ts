/**
 * The mount options of config.md ("Linux mount options"), and the few that other runtimes add, with what
 * each sets. Numbers are the kernel's (linux/mount.h): MOUNT_ATTR_* for mount_setattr(2) and fsmount(2),
 * MS_* for propagation.
 */

export const mountAttributes = {
  readonly: 0x1,
  nosuid: 0x2,
  nodev: 0x4,
  noexec: 0x8,
  /** The access time field is one value of two bits, not flags: to change it the whole field is cleared. */
  atimeField: 0x70,
  relatime: 0x0,
  noatime: 0x10,
  strictatime: 0x20,
  nodiratime: 0x80,
  idmap: 0x100000,
  nosymfollow: 0x200000,
} as const;

/** The access time; the field counts as one attribute. */
export const atimeAttributes = mountAttributes.atimeField | mountAttributes.nodiratime;

/** All attributes that an option sets or clears, but for those of the access time. */
export const flagAttributes =
  Object.values(mountAttributes).reduce<number>((all, attribute) => all | attribute, 0) &
  ~(atimeAttributes | mountAttributes.idmap);

export const mountPropagation = {
  unbindable: 0x20000,
  private: 0x40000,
  slave: 0x80000,
  shared: 0x100000,
  recursive: 0x4000,
} as const;

/** What one option does. */
export type MountOption =
  /**
   * Attributes of this mount, or (`recursive`) of it and all below it. A negative access time option
   * (`nostrictatime`) undoes only its opposite: it applies when the field has the value `onlyIf`.
   */
  | {
      kind: 'attribute';
      recursive: boolean;
      set: number;
      clear: number;
      onlyIf?: number;
      /** `ro` and `rw` are also said to the filesystem of a new mount, as mount(2) does. */
      superblock?: 'ro' | 'rw';
    }
  /** A flag of the filesystem; `opposite` is the option it undoes. */
  | { kind: 'superblock'; option: string; opposite: string }
  /** MS_SHARED and so on, with MS_REC for the r forms: one mount_setattr(2) each, in their order. */
  | { kind: 'propagation'; flags: number }
  | { kind: 'bind'; recursive: boolean }
  | { kind: 'remount' }
  | { kind: 'idmap'; recursive: boolean }
  | { kind: 'tmpcopyup' }
  /** Options of crun: `copy-symlink`, `src-nofollow`, `dest-nofollow`, `ensure-directory`. */
  | { kind: 'behaviour'; name: 'copySymlink' | 'sourceNoFollow' | 'destinationNoFollow' | 'ensureDirectory' }
  /** Known, and nothing to do with the mount API of file descriptors. */
  | { kind: 'none' };

const attr = mountAttributes;
const propagation = mountPropagation;

type AttributeRow = [name: string, set: number, clear: number, onlyIf?: number];

/** Each also exists with the prefix `r`, for the whole tree. */
const attributeRows: AttributeRow[] = [
  ['ro', attr.readonly, 0],
  ['rw', 0, attr.readonly],
  ['nosuid', attr.nosuid, 0],
  ['suid', 0, attr.nosuid],
  ['nodev', attr.nodev, 0],
  ['dev', 0, attr.nodev],
  ['noexec', attr.noexec, 0],
  ['exec', 0, attr.noexec],
  ['nodiratime', attr.nodiratime, 0],
  ['diratime', 0, attr.nodiratime],
  ['nosymfollow', attr.nosymfollow, 0],
  ['symfollow', 0, attr.nosymfollow],
  ['relatime', attr.relatime, attr.atimeField],
  ['noatime', attr.noatime, attr.atimeField],
  ['strictatime', attr.strictatime, attr.atimeField],
  // Without any of them the kernel's default is relatime.
  ['atime', attr.relatime, attr.atimeField, attr.noatime],
  ['nostrictatime', attr.relatime, attr.atimeField, attr.strictatime],
];

function attributeOptions(): [string, MountOption][] {
  return attributeRows.flatMap(([name, set, clear, onlyIf]) => {
    const option = { kind: 'attribute', set, clear, ...(onlyIf === undefined ? {} : { onlyIf }) } as const;
    const superblock = name === 'ro' || name === 'rw' ? ({ superblock: name } as const) : {};
    return [
      [name, { ...option, recursive: false, ...superblock }],
      [`r${name}`, { ...option, recursive: true }],
    ] satisfies [string, MountOption][];
  });
}

/** Flags of the filesystem, with their opposites; some runtimes also know them with the prefix `r`. */
const superblockRows: [name: string, opposite: string][] = [
  ['sync', 'async'],
  ['async', 'sync'],
  ['dirsync', ''],
  ['lazytime', 'nolazytime'],
  ['nolazytime', 'lazytime'],
  ['mand', 'nomand'],
  ['nomand', 'mand'],
];

const recursiveSuperblock = ['sync', 'async', 'dirsync', 'mand', 'nomand'];

function superblockOptions(): [string, MountOption][] {
  return superblockRows.flatMap(([option, opposite]) => {
    const value: MountOption = { kind: 'superblock', option, opposite };
    const names = recursiveSuperblock.includes(option) ? [option, `r${option}`] : [option];
    return names.map((name): [string, MountOption] => [name, value]);
  });
}

function propagationOptions(): [string, MountOption][] {
  return (['shared', 'slave', 'private', 'unbindable'] as const).flatMap((name): [string, MountOption][] => [
    [name, { kind: 'propagation', flags: propagation[name] }],
    [`r${name}`, { kind: 'propagation', flags: propagation[name] | propagation.recursive }],
  ]);
}

/** Every known option. What is not here is passed to the filesystem. `idmap=` is known by its prefix. */
export const mountOptions: ReadonlyMap<string, MountOption> = new Map<string, MountOption>([
  ...attributeOptions(),
  ...superblockOptions(),
  ...propagationOptions(),
  ['bind', { kind: 'bind', recursive: false }],
  ['rbind', { kind: 'bind', recursive: true }],
  ['remount', { kind: 'remount' }],
  ['idmap', { kind: 'idmap', recursive: false }],
  ['ridmap', { kind: 'idmap', recursive: true }],
  ['tmpcopyup', { kind: 'tmpcopyup' }],
  ['copy-symlink', { kind: 'behaviour', name: 'copySymlink' }],
  ['src-nofollow', { kind: 'behaviour', name: 'sourceNoFollow' }],
  ['dest-nofollow', { kind: 'behaviour', name: 'destinationNoFollow' }],
  ['ensure-directory', { kind: 'behaviour', name: 'ensureDirectory' }],
  ['defaults', { kind: 'none' }],
  // Without noatime or strictatime the kernel always uses relatime, so it cannot be undone.
  ['norelatime', { kind: 'none' }],
  ['rnorelatime', { kind: 'none' }],
  // These six are flags of mount(2) that fsconfig(2) has no name for. Quiet mounting is about the
  // kernel's log only, and the filesystems that keep a change counter or access control lists do so
  // without being told.
  ['silent', { kind: 'none' }],
  ['loud', { kind: 'none' }],
  ['iversion', { kind: 'none' }],
  ['noiversion', { kind: 'none' }],
  ['acl', { kind: 'none' }],
  ['noacl', { kind: 'none' }],
]);

/** What all options of a mount say together; later ones win over earlier ones. */
export interface ParsedMountOptions {
  /** `rbind` when it is there at all: the flags of mount(2) add up, as with other runtimes. */
  bind: 'none' | 'bind' | 'rbind';
  remount: boolean;
  /** MOUNT_ATTR_* of this mount. `clear` has the whole access time field when `set` says something of it. */
  attributes: { set: number; clear: number };
  /** MOUNT_ATTR_* of this mount and all below it. */
  recursiveAttributes: { set: number; clear: number };
  /** MS_* flags, in their order. */
  propagation: number[];
  /** Options for the filesystem that fsconfig(2) takes as flags: `ro`, `sync`, … */
  superblock: string[];
  /** Options only the filesystem understands, as they were written: `size=64k`. */
  data: string[];
  idmap: 'none' | 'idmap' | 'ridmap';
  /** The mappings of `idmap=…`, as they were written; without it those of the mount or the container. */
  idmapMappings?: string;
  tmpcopyup: boolean;
  copySymlink: boolean;
  sourceNoFollow: boolean;
  destinationNoFollow: boolean;
  ensureDirectory: boolean;
}

/** True when the mount itself is to be read-only, by `ro` or by `rro`. */
export function wantsReadonly({ attributes, recursiveAttributes }: ParsedMountOptions): boolean {
  return ((attributes.set | recursiveAttributes.set) & mountAttributes.readonly) !== 0;
}

/** Reads the options of a mount (config.md, "Mounts"). Pure; contradictions are not errors here. */
export function parseMountOptions(options: readonly string[] | undefined): ParsedMountOptions {
  const parsed: ParsedMountOptions = {
    bind: 'none',
    remount: false,
    attributes: { set: 0, clear: 0 },
    recursiveAttributes: { set: 0, clear: 0 },
    propagation: [],
    superblock: [],
    data: [],
    idmap: 'none',
    tmpcopyup: false,
    copySymlink: false,
    sourceNoFollow: false,
    destinationNoFollow: false,
    ensureDirectory: false,
  };
  for (const text of options ?? []) applyOption(parsed, text);
  return parsed;
}

const idmapPrefix = /^(r?idmap)=(.*)$/s;

function applyOption(parsed: ParsedMountOptions, text: string): void {
  const option = mountOptions.get(text);
  if (option === undefined) {
    const [, name, mappings] = idmapPrefix.exec(text) ?? [];
    if (mappings === undefined) {
      if (text !== '') parsed.data.push(text);
      return;
    }
    parsed.idmap = name === 'ridmap' ? 'ridmap' : 'idmap';
    parsed.idmapMappings = mappings;
    return;
  }
  switch (option.kind) {
    case 'attribute':
      applyAttribute(option.recursive ? parsed.recursiveAttributes : parsed.attributes, option);
      if (option.superblock !== undefined) {
        applySuperblock(parsed, option.superblock, option.superblock === 'ro' ? 'rw' : 'ro');
      }
      return;
    case 'superblock':
      applySuperblock(parsed, option.option, option.opposite);
      return;
    case 'propagation':
      parsed.propagation.push(option.flags);
      return;
    case 'bind':
      if (parsed.bind !== 'rbind') parsed.bind = option.recursive ? 'rbind' : 'bind';
      return;
    case 'remount':
      parsed.remount = true;
      return;
    case 'idmap':
      parsed.idmap = option.recursive ? 'ridmap' : 'idmap';
      return;
    case 'tmpcopyup':
      parsed.tmpcopyup = true;
      return;
    case 'behaviour':
      parsed[option.name] = true;
      return;
    case 'none':
      return;
  }
}

function applyAttribute(
  target: { set: number; clear: number },
  option: { set: number; clear: number; onlyIf?: number },
): void {
  const fieldSaid = (target.clear & attr.atimeField) !== 0;
  if (option.onlyIf !== undefined && fieldSaid && (target.set & attr.atimeField) !== option.onlyIf) return;
  target.set = (target.set & ~option.clear) | option.set;
  // The kernel clears before it sets; except for the access time field both must not name the same bit.
  target.clear = (target.clear & ~option.set) | option.clear;
}

function applySuperblock(parsed: ParsedMountOptions, option: string, opposite: string): void {
  parsed.superblock = parsed.superblock.filter((other) => other !== option && other !== opposite);
  parsed.superblock.push(option);
}
