import { posix } from 'node:path';
import type { Report } from '../../core/finding.ts';
import { error, warning } from '../../core/finding.ts';
import type { ParsedMountOptions } from '../mount-options.ts';
import { mountOptions, parseMountOptions } from '../mount-options.ts';
import { findNamespace } from '../namespaces.ts';
import { pointerTo } from '../../core/pointer.ts';
import type { Config, Mount } from '../types.ts';

/** What each rule on mounts looks at. */
interface Subject {
  mount: Mount;
  options: ParsedMountOptions;
  /** By option; a type without one is an error, and says what was meant. */
  bind: boolean;
  /** The mount's pointer. */
  at: string;
  config: Config;
}

/** config.md, "Mounts", and what the kernel or safety demand of each. */
export function mounts(config: Config, report: Report): void {
  for (const [i, mount] of (config.mounts ?? []).entries()) {
    const options = parseMountOptions(mount.options);
    const bind = options.bind !== 'none' || mount.type === 'bind' || mount.type === 'rbind';
    const subject = { mount, options, bind, at: pointerTo('/mounts', i), config };
    for (const rule of mountRules) rule(subject, report);
  }
}

const mountRules = [destination, procDestination, type, bindOptions, symbolicLinks, opposites, idMappings];

/** A relative destination is deprecated, and taken as one from the root. */
function destination({ mount, at }: Subject, report: Report): void {
  if (!mount.destination.startsWith('/')) {
    report(warning(`${at}/destination`, 'should be an absolute path; it is taken as one from the root'));
  }
}

/** The files below /proc that may be replaced, for those who emulate them (lxcfs). */
const replaceable: ReadonlySet<string> = new Set([
  '/proc/cpuinfo',
  '/proc/diskstats',
  '/proc/loadavg',
  '/proc/meminfo',
  '/proc/slabinfo',
  '/proc/stat',
  '/proc/swaps',
  '/proc/uptime',
  '/proc/sys/crypto/fips_enabled',
  '/proc/sys/kernel/ns_last_pid',
]);

/**
 * Security labels and sysctls are written through /proc: something else there would swallow or redirect
 * them. A bind mount over /proc itself must be of a procfs, which only the mount can tell.
 */
function procDestination({ mount, options, bind, at }: Subject, report: Report): void {
  // A remount puts nothing new there.
  if (options.remount || !mount.destination.includes('proc')) return;
  const path = posix.resolve('/', mount.destination);
  if (path === '/proc' && !bind && mount.type !== 'proc') {
    report(error(`${at}/type`, 'only a filesystem of type "proc" may be mounted on /proc'));
  } else if (path.startsWith('/proc/') && !replaceable.has(path)) {
    report(
      error(
        `${at}/destination`,
        'nothing may be mounted inside /proc but the few files other runtimes allow',
      ),
    );
  }
}

function type({ mount, options, bind, at }: Subject, report: Report): void {
  if (options.remount) return;
  const { type = '' } = mount;
  if (bind && options.bind === 'none') {
    const reason = `a mount of type "${type}" needs the option "${type}"; it makes the bind mount, not the type`;
    report(error(mount.options === undefined ? at : `${at}/options`, reason));
  } else if (!bind && (type === '' || type === 'none')) {
    report(error(`${at}/type`, 'a mount that is not a bind mount needs the type of its filesystem'));
  }
}

/**
 * The kernel ignores options of a filesystem on a bind mount, and so do other runtimes. A bare word may be a
 * flag in a wrong spelling (`readonly`), and the user would rely on it in vain.
 */
function bindOptions({ mount, options, bind, at }: Subject, report: Report): void {
  if (!bind) return;
  for (const [i, option] of (mount.options ?? []).entries()) {
    if (!options.data.includes(option)) continue;
    const pointer = pointerTo(at, 'options', i);
    const reason = 'is no option of a bind mount, and no filesystem is mounted here';
    report(option.includes('=') ? warning(pointer, `${reason}; ignored`) : error(pointer, reason));
  }
  if (!options.remount && (mount.source ?? '') === '')
    report(error(`${at}/source`, 'a bind mount needs a source'));
}

/** Options that say what becomes of a source, so they need one: what is bind mounted. */
const sourceOptions: readonly string[] = ['copy-symlink', 'src-nofollow', 'ensure-directory'];

/** Either the link itself is made anew, or something is mounted: the options for mounting say nothing of a copy. */
function symbolicLinks({ mount, options, bind, at }: Subject, report: Report): void {
  for (const [i, option] of (mount.options ?? []).entries()) {
    const pointer = pointerTo(at, 'options', i);
    if (!bind && sourceOptions.includes(option)) {
      report(warning(pointer, 'is for bind mounts; ignored'));
    } else if (bind && option.endsWith('-nofollow') && options.copySymlink) {
      report(error(pointer, 'cannot be had together with "copy-symlink"'));
    }
  }
}

/** The later of two options that contradict each other wins. */
function opposites({ mount, at }: Subject, report: Report): void {
  mount.options?.forEach((option, i, options) => {
    const opposite = oppositeOf(option);
    // What is not known is not ours to judge: it goes to the filesystem.
    if (!options.slice(0, i).includes(opposite) || !mountOptions.has(opposite)) return;
    report(warning(pointerTo(at, 'options', i), `contradicts "${opposite}" before it, and wins`));
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
function idMappings({ mount, options, bind, at, config }: Subject, report: Report): void {
  const uids = mount.uidMappings ?? [];
  const gids = mount.gidMappings ?? [];
  const own = uids.length > 0 || gids.length > 0;
  if (!own && options.idmap === 'none') return;
  if (!bind) {
    report(error(own ? `${at}/uidMappings` : `${at}/options`, 'only bind mounts can have id mappings'));
  }
  if (own && uids.length === 0) report(error(`${at}/uidMappings`, 'must be given along with gidMappings'));
  if (own && gids.length === 0) report(error(`${at}/gidMappings`, 'must be given along with uidMappings'));
  if (own && options.idmap === 'none') {
    report(warning(`${at}/options`, 'should have "idmap" or "ridmap", for runtimes that know no mappings'));
  }
  const described = own || (options.idmapMappings ?? '') !== '';
  if (!described && findNamespace(config.linux, 'user') === undefined) {
    report(
      error(`${at}/options`, 'an idmapped mount needs uidMappings and gidMappings, or a user namespace'),
    );
  }
}
