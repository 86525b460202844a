import type { Finding } from '../finding.ts';
import { error, warning } from '../finding.ts';
import { findNamespace, hasNamespace, hasNewNamespace } from '../namespaces.ts';
import { pointerTo } from '../pointer.ts';
import type { Config } from '../types.ts';

/** config-linux.md, "Namespaces". */
export function* duplicateNamespaces({ linux }: Config): Iterable<Finding> {
  const seen = new Set<string>();
  for (const [i, { type }] of (linux?.namespaces ?? []).entries()) {
    if (seen.has(type))
      yield error(pointerTo('/linux/namespaces', i, 'type'), 'this namespace is given twice');
    seen.add(type);
  }
}

export function* namespacePaths({ linux }: Config): Iterable<Finding> {
  for (const [i, { path = '' }] of (linux?.namespaces ?? []).entries()) {
    if (path !== '' && !path.startsWith('/')) {
      yield error(pointerTo('/linux/namespaces', i, 'path'), 'must be an absolute path');
    }
  }
}

/** Without one of its own the container would rename the host. */
export function* hostNames({ hostname, domainname, linux }: Config): Iterable<Finding> {
  for (const [pointer, name] of [
    ['/hostname', hostname],
    ['/domainname', domainname],
  ] as const) {
    if (name === undefined || name === '') continue;
    if (!hasNamespace(linux, 'uts')) yield error(pointer, 'needs a namespace of type "uts"');
    // __NEW_UTS_LEN of the kernel.
    if (Buffer.byteLength(name) > 64) yield error(pointer, 'must not be longer than 64 bytes');
  }
}

/** What the container mounts, masks or makes read-only must not happen to the host. */
export function* mountNamespace({ root, mounts = [], linux }: Config): Iterable<Finding> {
  if (hasNamespace(linux, 'mount')) return;
  const reason = 'needs a namespace of type "mount"';
  if (mounts.length > 0) yield error('/mounts', reason);
  if (root?.readonly === true) yield error('/root/readonly', reason);
  if ((linux?.maskedPaths ?? []).length > 0) yield error('/linux/maskedPaths', reason);
  if ((linux?.readonlyPaths ?? []).length > 0) yield error('/linux/readonlyPaths', reason);
  if ((linux?.rootfsPropagation ?? '') !== '') {
    yield warning('/linux/rootfsPropagation', `${reason}; ignored`);
  }
}

/** config-linux.md, "Offset for Time Namespace"; time_namespaces(7): only a namespace without processes. */
export function* timeOffsets({ linux }: Config): Iterable<Finding> {
  const clocks = Object.keys(linux?.timeOffsets ?? {});
  if (clocks.length === 0) return;
  if (!hasNamespace(linux, 'time')) {
    yield error('/linux/timeOffsets', 'needs a namespace of type "time"');
  } else if (!hasNewNamespace(linux, 'time')) {
    yield error('/linux/timeOffsets', 'the offsets of a time namespace joined by path cannot be set');
  }
  for (const clock of clocks) {
    if (clock !== 'monotonic' && clock !== 'boottime') {
      yield error(
        pointerTo('/linux/timeOffsets', clock),
        'the clocks with an offset are monotonic and boottime',
      );
    }
  }
}

/** Network devices move into the container's own network namespace. */
export function* netDevices({ linux }: Config): Iterable<Finding> {
  const devices = Object.entries(linux?.netDevices ?? {});
  if (devices.length > 0 && !hasNamespace(linux, 'network')) {
    yield error('/linux/netDevices', 'needs a namespace of type "network"');
  }
  const names = new Map<string, string>();
  for (const [hostName, { name = '' }] of devices) {
    const pointer = pointerTo('/linux/netDevices', hostName);
    if (!isDeviceName(hostName)) yield error(pointer, 'no network device can have this name');
    if (name !== '' && !isDeviceName(name))
      yield error(`${pointer}/name`, 'no network device can have this name');
    const inside = name === '' ? hostName : name;
    const other = names.get(inside);
    // A name with %d is a template: the kernel picks the number.
    if (other !== undefined && !inside.includes('%d')) {
      yield error(pointer, `two devices would be called ${inside} in the container`);
    }
    names.set(inside, hostName);
  }
}

/** dev_valid_name of the kernel: IFNAMSIZ counts the NUL. */
function isDeviceName(name: string): boolean {
  return Buffer.byteLength(name) < 16 && name !== '.' && name !== '..' && /^[^/:\s]+$/.test(name);
}

/** A joined user namespace has its mappings already; some engines repeat them. */
export function* joinedUserNamespace({ linux }: Config): Iterable<Finding> {
  const path = findNamespace(linux, 'user')?.path ?? '';
  if (path === '') return;
  for (const name of ['uidMappings', 'gidMappings'] as const) {
    if (linux?.[name] !== undefined) {
      yield warning(`/linux/${name}`, 'the user namespace is joined by path and keeps the mappings it has');
    }
  }
}
