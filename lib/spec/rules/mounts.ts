import { posix } from 'node:path';
import type { Finding } from '../finding.ts';
import { error, warning } from '../finding.ts';
import type { ParsedMountOptions } from '../mount-options.ts';
import { mountOptions, parseMountOptions } from '../mount-options.ts';
import { findNamespace } from '../namespaces.ts';
import { pointerTo } from '../pointer.ts';
import type { Config, Mount } from '../types.ts';

/** What each rule on mounts looks at. */
interface Subject {
  mount: Mount;
  options: ParsedMountOptions;
  /** The mount's pointer. */
  at: string;
  config: Config;
}

/** config.md, "Mounts", and what the kernel or safety demand of each. */
export function* mounts(config: Config): Iterable<Finding> {
  for (const [i, mount] of (config.mounts ?? []).entries()) {
    const subject = { mount, options: parseMountOptions(mount.options), at: pointerTo('/mounts', i), config };
    for (const rule of mountRules) yield* rule(subject);
  }
}

const mountRules = [destination, procDestination, type, bindOptions, opposites, idMappings];

/** A relative destination is deprecated, and taken as one from the root. */
function* destination({ mount, at }: Subject): Iterable<Finding> {
  if (!mount.destination.startsWith('/')) {
    yield warning(`${at}/destination`, 'should be an absolute path; it is taken as one from the root');
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
function* procDestination({ mount, options, at }: Subject): Iterable<Finding> {
  // A remount puts nothing new there.
  if (options.remount) return;
  const path = posix.resolve('/', mount.destination);
  if (path === '/proc' && options.bind === 'none' && mount.type !== 'proc') {
    yield error(`${at}/type`, 'only a filesystem of type "proc" may be mounted on /proc');
  } else if (path.startsWith('/proc/') && !replaceable.has(path)) {
    yield error(
      `${at}/destination`,
      'nothing may be mounted inside /proc but the few files other runtimes allow',
    );
  }
}

function* type({ mount, options, at }: Subject): Iterable<Finding> {
  if (options.bind !== 'none' || options.remount) return;
  const { type = '' } = mount;
  if (type === 'bind') {
    yield error(`${at}/options`, 'a bind mount needs the option "bind" or "rbind"');
  } else if ((type === '' || type === 'none') && options.propagation.length === 0) {
    yield error(`${at}/type`, 'a mount that is not a bind mount needs the type of its filesystem');
  }
}

/** The kernel ignores options of a filesystem on a bind mount; the user would rely on them in vain. */
function* bindOptions({ mount, options, at }: Subject): Iterable<Finding> {
  if (options.bind === 'none') return;
  for (const [i, option] of (mount.options ?? []).entries()) {
    if (options.data.includes(option)) {
      yield error(
        pointerTo(at, 'options', i),
        'is no option of a bind mount, and no filesystem is mounted here',
      );
    }
  }
  if (!options.remount && (mount.source ?? '') === '')
    yield error(`${at}/source`, 'a bind mount needs a source');
}

/** The later of two options that contradict each other wins. */
function* opposites({ mount, at }: Subject): Iterable<Finding> {
  const seen = new Map<string, string>();
  for (const [i, option] of (mount.options ?? []).entries()) {
    if (!mountOptions.has(option)) continue;
    const [subject, value] = subjectOf(option);
    const earlier = seen.get(subject);
    if (earlier !== undefined && subjectOf(earlier)[1] !== value) {
      yield warning(pointerTo(at, 'options', i), `contradicts "${earlier}" before it, and wins`);
    }
    seen.set(subject, option);
  }
}

/** What an option is about, and what it says of it: `nosuid` says "no" of "suid". */
function subjectOf(option: string): [subject: string, value: string] {
  if (option === 'ro' || option === 'rw') return ['ro', option];
  if (option === 'rro' || option === 'rrw') return ['rro', option];
  if (option === 'sync' || option === 'async') return ['sync', option];
  if (option === 'bind' || option === 'rbind') return ['bind', option];
  const [, recursive = '', no = '', rest = option] =
    /^(r?)(no)?(suid|dev|exec|diratime|atime|strictatime|symfollow|lazytime|mand)$/.exec(option) ?? [];
  return [recursive + rest, no];
}

/** config.md: both mappings or none, and they are for bind mounts; mount_setattr(2) wants ids to map to. */
function* idMappings({ mount, options, at, config }: Subject): Iterable<Finding> {
  const uids = mount.uidMappings ?? [];
  const gids = mount.gidMappings ?? [];
  const own = uids.length > 0 || gids.length > 0;
  if (!own && options.idmap === 'none') return;
  if (options.bind === 'none') {
    yield error(own ? `${at}/uidMappings` : `${at}/options`, 'only bind mounts can have id mappings');
  }
  if (own && uids.length === 0) yield error(`${at}/uidMappings`, 'must be given along with gidMappings');
  if (own && gids.length === 0) yield error(`${at}/gidMappings`, 'must be given along with uidMappings');
  if (own && options.idmap === 'none') {
    yield warning(`${at}/options`, 'should have "idmap" or "ridmap", for runtimes that know no mappings');
  }
  const described = own || (options.idmapMappings ?? '') !== '';
  if (!described && findNamespace(config.linux, 'user') === undefined) {
    yield error(`${at}/options`, 'an idmapped mount needs uidMappings and gidMappings, or a user namespace');
  }
}
