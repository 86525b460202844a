import { error, type Report } from '../../core/finding.ts';
import { hasNamespace, hasNewNamespace } from '../namespaces.ts';
import { pointerTo } from '../../core/pointer.ts';
import { hostId } from '../id-maps.ts';
import type { Config, IdMapping, Linux, Process } from '../types.ts';

const kinds = ['uidMappings', 'gidMappings'] as const;

/** user_namespaces(7): a new one has no ids until they are mapped, and its root must be one of them. */
export function userNamespaceMappings({ linux }: Config, report: Report): void {
  for (const kind of kinds) {
    const mappings = linux?.[kind] ?? [];
    const pointer = `/linux/${kind}`;
    if (hasNewNamespace(linux, 'user')) {
      if (mappings.length === 0) {
        report(error(pointer, 'a new user namespace needs mappings'));
      } else if (hostId(mappings, 0) === undefined) {
        report(error(pointer, 'the id 0 of the container must be mapped'));
      }
    } else if (mappings.length > 0 && !hasNamespace(linux, 'user')) {
      report(error(pointer, 'needs a namespace of type "user"'));
    }
  }
}

/** What the kernel refuses to be written to uid_map and gid_map. */
export function mappingRanges({ linux, mounts }: Config, report: Report): void {
  for (const kind of kinds) {
    ranges(`/linux/${kind}`, linux?.[kind], report);
    for (const [i, mount] of (mounts ?? []).entries())
      ranges(pointerTo('/mounts', i, kind), mount[kind], report);
  }
}

/** UID_GID_MAP_MAX_EXTENTS of the kernel. */
const maxMappings = 340;

function ranges(pointer: string, mappings: readonly IdMapping[] = [], report: Report): void {
  if (mappings.length > maxMappings) {
    report(error(pointer, `the kernel takes at most ${maxMappings} mappings`));
    return;
  }
  for (const [i, mapping] of mappings.entries()) {
    const at = pointerTo(pointer, i);
    if (mapping.size === 0) report(error(`${at}/size`, 'must not be 0'));
    for (const side of ['containerID', 'hostID'] as const) {
      // 4294967295 is no id, so a range must end before it.
      if (mapping[side] + mapping.size > 0xffffffff) {
        report(error(`${at}/size`, `the range from ${side} goes beyond the largest id, 4294967294`));
      }
      const other = mappings.slice(0, i).find((earlier) => overlap(earlier, mapping, side));
      if (other !== undefined) {
        report(error(`${at}/${side}`, `the range overlaps the one that begins at ${other[side]}`));
      }
    }
  }
}

function overlap(a: IdMapping, b: IdMapping, side: 'containerID' | 'hostID'): boolean {
  return a[side] < b[side] + b.size && b[side] < a[side] + a.size;
}

/** setresuid(2) refuses ids the namespace does not map. */
export function mappedUser({ user = {} }: Process, linux: Linux | undefined, report: Report): void {
  if (!hasNewNamespace(linux, 'user')) return;
  for (const [kind, name] of [
    ['uidMappings', 'uid'],
    ['gidMappings', 'gid'],
  ] as const) {
    const mappings = linux?.[kind] ?? [];
    const id = user[name] ?? 0;
    if (mappings.length > 0 && id !== 0 && hostId(mappings, id) === undefined) {
      report(error(`/process/user/${name}`, `is not mapped by /linux/${kind}`));
    }
  }
}
