import { posix } from 'node:path';
import { error, type Report, warning } from '../../core/finding.ts';
import { pointerTo } from '../../core/pointer.ts';
import { parseIdmapOption } from '../id-maps.ts';
import { mountOptions } from '../mount-options.ts';
import { type ParsedMount, parseMounts, replaceableProcFiles, wantsIdmap } from '../mounts.ts';
import { hasNamespace } from '../namespaces.ts';
import type { Config, Linux } from '../types.ts';

/** config.md, "Mounts", and what the kernel or safety demand of each. */
export function mounts(config: Config, report: Report): void {
  for (const mount of parseMounts(config)) {
    for (const rule of mountRules) rule(mount, report, config.linux);
  }
}

type MountRule = (mount: ParsedMount, report: Report, linux: Linux | undefined) => void;

const mountRules: readonly MountRule[] = [
  destination,
  procDestination,
  type,
  bindOptions,
  symbolicLinks,
  copyUp,
  opposites,
  idMappings,
];

/** A relative destination is deprecated, and taken as one from the root. */
function destination({ mount, pointer }: ParsedMount, report: Report): void {
  if (!mount.destination.startsWith('/')) {
    report(warning(`${pointer}/destination`, 'should be an absolute path; it is taken as one from the root'));
  }
}

/**
 * Security labels and sysctls are written through /proc: something else there would swallow or redirect
 * them. A bind mount over /proc itself must be of a procfs, which only the init can tell.
 */
function procDestination({ mount, options, bind, pointer }: ParsedMount, report: Report): void {
  // A remount puts nothing new there.
  if (options.remount || !mount.destination.includes('proc')) return;
  const path = posix.resolve('/', mount.destination);
  if (path === '/proc' && !bind && mount.type !== 'proc') {
    report(error(`${pointer}/type`, 'only a filesystem of type "proc" may be mounted on /proc'));
  } else if (path.startsWith('/proc/') && !replaceableProcFiles.has(path)) {
    report(
      error(
        `${pointer}/destination`,
        'nothing may be mounted inside /proc but the few files other runtimes allow',
      ),
    );
  }
}

function type({ mount, options, bind, pointer }: ParsedMount, report: Report): void {
  if (options.remount) return;
  const { type = '' } = mount;
  if (bind && options.bind === 'none') {
    const reason = `a mount of type "${type}" needs the option "${type}"; it makes the bind mount, not the type`;
    report(error(mount.options === undefined ? pointer : `${pointer}/options`, reason));
  } else if (!bind && (type === '' || type === 'none')) {
    report(error(`${pointer}/type`, 'a mount that is not a bind mount needs the type of its filesystem'));
  }
}

/**
 * The kernel ignores options of a filesystem on a bind mount, and so do other runtimes. A bare word may be a
 * misspelt flag (`readonly`), on which the user relies.
 */
function bindOptions({ mount, options, bind, pointer }: ParsedMount, report: Report): void {
  if (!bind) return;
  for (const [i, option] of (mount.options ?? []).entries()) {
    const isSuperblock = mountOptions.get(option)?.kind === 'superblock';
    if (!isSuperblock && !options.data.includes(option)) continue;
    const at = pointerTo(pointer, 'options', i);
    const reason = 'is no option of a bind mount, and no filesystem is mounted here';
    report(isSuperblock || option.includes('=') ? warning(at, `${reason}; ignored`) : error(at, reason));
  }
  if (!options.remount && (mount.source ?? '') === '') {
    report(error(`${pointer}/source`, 'a bind mount needs a source'));
  }
}

/** Options that say how the source of a bind mount is used. */
const sourceOptions: readonly string[] = ['copy-symlink', 'src-nofollow', 'ensure-directory'];

/** `copy-symlink` copies the link and mounts nothing, so options of a mount contradict it. */
function symbolicLinks({ mount, options, bind, pointer }: ParsedMount, report: Report): void {
  for (const [i, option] of (mount.options ?? []).entries()) {
    const at = pointerTo(pointer, 'options', i);
    if (!bind && sourceOptions.includes(option)) {
      report(warning(at, 'is for bind mounts; ignored'));
    } else if (bind && option.endsWith('-nofollow') && options.copySymlink) {
      report(error(at, 'cannot be had together with "copy-symlink"'));
    }
  }
}

function copyUp({ mount, options, bind, pointer }: ParsedMount, report: Report): void {
  if (!options.tmpcopyup || options.remount || (!bind && mount.type === 'tmpfs')) return;
  const at = pointerTo(pointer, 'options', mount.options?.indexOf('tmpcopyup') ?? 0);
  report(
    warning(
      at,
      bind ? 'is for tmpfs only; ignored' : `is for tmpfs only; the ${mount.type ?? ''} is left empty`,
    ),
  );
}

/** The later of two options that contradict each other wins. */
function opposites({ mount, pointer }: ParsedMount, report: Report): void {
  mount.options?.forEach((option, i, options) => {
    const opposite = oppositeOf(option);
    // An unknown option is for the filesystem to judge.
    if (!options.slice(0, i).includes(opposite) || !mountOptions.has(opposite)) return;
    report(warning(pointerTo(pointer, 'options', i), `contradicts "${opposite}" before it, and wins`));
  });
}

/** The option that would undo this one, were there such an option. */
function oppositeOf(option: string): string {
  const irregular = irregularOpposites[option];
  if (irregular !== undefined) return irregular;
  if (option.startsWith('no')) return option.slice(2);
  if (option.startsWith('rno')) return `r${option.slice(3)}`;
  return mountOptions.has(`no${option}`) ? `no${option}` : `rno${option.slice(1)}`;
}

const irregularOpposites: Readonly<Record<string, string>> = {
  ro: 'rw',
  rw: 'ro',
  rro: 'rrw',
  rrw: 'rro',
  sync: 'async',
  async: 'sync',
};

/** config.md: both mappings or none, and they are for bind mounts; mount_setattr(2) wants ids to map to. */
function idMappings(parsed: ParsedMount, report: Report, linux: Linux | undefined): void {
  if (!wantsIdmap(parsed)) return;
  const { mount, options, bind, pointer } = parsed;
  const { uidMappings: uids = [], gidMappings: gids = [] } = mount;
  const own = uids.length > 0 || gids.length > 0;
  if (!bind) {
    report(error(`${pointer}/${own ? 'uidMappings' : 'options'}`, 'only bind mounts can have id mappings'));
  }
  if (own && uids.length === 0) {
    report(error(`${pointer}/uidMappings`, 'must be given along with gidMappings'));
  }
  if (own && gids.length === 0) {
    report(error(`${pointer}/gidMappings`, 'must be given along with uidMappings'));
  }
  if (own && options.idmap === 'none') {
    report(
      warning(`${pointer}/options`, 'should have "idmap" or "ridmap", for runtimes that know no mappings'),
    );
  }
  if (options.idmapMappings !== undefined) {
    const maps = parseIdmapOption(options.idmapMappings, {
      uid: linux?.uidMappings ?? [],
      gid: linux?.gidMappings ?? [],
    });
    if (typeof maps === 'string') report(error(`${pointer}/options`, maps));
  } else if (!own && !hasNamespace(linux, 'user')) {
    report(
      error(`${pointer}/options`, 'an idmapped mount needs uidMappings and gidMappings, or a user namespace'),
    );
  }
}
