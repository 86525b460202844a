import { error, type Report, warning } from '../../core/finding.ts';
import { findNamespace, hasNamespace, hasNewNamespace } from '../namespaces.ts';
import { pointerTo } from '../../core/pointer.ts';
import type { Config } from '../types.ts';

/** config-linux.md, "Namespaces". */
export function duplicateNamespaces({ linux }: Config, report: Report): void {
  const seen = new Set<string>();
  for (const [i, { type }] of (linux?.namespaces ?? []).entries()) {
    if (seen.has(type))
      report(error(pointerTo('/linux/namespaces', i, 'type'), 'this namespace is given twice'));
    seen.add(type);
  }
}

export function namespacePaths({ linux }: Config, report: Report): void {
  for (const [i, { path = '' }] of (linux?.namespaces ?? []).entries()) {
    if (path !== '' && !path.startsWith('/')) {
      report(error(pointerTo('/linux/namespaces', i, 'path'), 'must be an absolute path'));
    }
  }
}

/** Without one of its own the container would rename the host. */
export function hostNames({ hostname, domainname, linux }: Config, report: Report): void {
  for (const [pointer, name] of [
    ['/hostname', hostname],
    ['/domainname', domainname],
  ] as const) {
    if (name === undefined || name === '') continue;
    if (!hasNamespace(linux, 'uts')) report(error(pointer, 'needs a namespace of type "uts"'));
    // __NEW_UTS_LEN of the kernel.
    if (Buffer.byteLength(name) > 64) report(error(pointer, 'must not be longer than 64 bytes'));
  }
}

/**
 * What the container mounts, masks or makes read-only must not happen to the host. Without its mounts the container
 * lacks something; without masks and read-only paths it would have more than it was given. Its root can be read-only
 * all the same (op detachRootfs).
 */
export function mountNamespace({ mounts = [], linux }: Config, report: Report): void {
  if (hasNamespace(linux, 'mount')) return;
  const reason = 'needs a namespace of type "mount"';
  if (mounts.length > 0) report(warning('/mounts', `${reason}; nothing is mounted`));
  if ((linux?.maskedPaths ?? []).length > 0) report(error('/linux/maskedPaths', reason));
  if ((linux?.readonlyPaths ?? []).length > 0) report(error('/linux/readonlyPaths', reason));
  if ((linux?.rootfsPropagation ?? '') !== '') {
    report(warning('/linux/rootfsPropagation', `${reason}; ignored`));
  }
}

/** config-linux.md, "Offset for Time Namespace"; time_namespaces(7): only a namespace without processes. */
export function timeOffsets({ linux }: Config, report: Report): void {
  const clocks = Object.keys(linux?.timeOffsets ?? {});
  if (clocks.length === 0) return;
  if (!hasNamespace(linux, 'time')) {
    report(error('/linux/timeOffsets', 'needs a namespace of type "time"'));
  } else if (!hasNewNamespace(linux, 'time')) {
    report(error('/linux/timeOffsets', 'the offsets of a time namespace joined by path cannot be set'));
  }
  for (const clock of clocks) {
    if (clock !== 'monotonic' && clock !== 'boottime') {
      report(
        error(pointerTo('/linux/timeOffsets', clock), 'the clocks with an offset are monotonic and boottime'),
      );
    }
  }
}

/** A joined user namespace has its mappings already; some engines repeat them. */
export function joinedUserNamespace({ linux }: Config, report: Report): void {
  const path = findNamespace(linux, 'user')?.path ?? '';
  if (path === '') return;
  for (const name of ['uidMappings', 'gidMappings'] as const) {
    if (linux?.[name] !== undefined) {
      report(warning(`/linux/${name}`, 'the user namespace is joined by path and keeps the mappings it has'));
    }
  }
}
