import { existsSync } from 'node:fs';
import { TsrunError } from '../core/error.ts';
import { covers } from '../core/paths.ts';
import type { CgroupLayout } from '../host/cgroup-layout.ts';
import { readHostFacts } from '../host/facts.ts';
import { type CgroupMembership, processCgroups } from '../host/proc.ts';
import type { CgroupRecord } from './record.ts';

/**
 * Refuses to take a cgroup for removed when only its hierarchy is not mounted here: it may have processes in it.
 * @throws TsrunError 'system' when a cgroup of `record` cannot be seen
 */
export function refuseUnmounted({ paths }: CgroupRecord): void {
  const gone = Object.entries(paths).filter(([, directory]) => !existsSync(directory));
  if (gone.length === 0) return;
  const hidden = gone.find(([first, directory]) =>
    isUnmounted(first, directory, processCgroups('self') ?? [], readHostFacts().cgroup),
  );
  if (hidden === undefined) return;
  const [first, directory] = hidden;
  const name = first === '' ? 'cgroup v2' : `the cgroup v1 hierarchy of ${first}`;
  throw new TsrunError(
    'system',
    `it cannot be told whether ${directory} is left: ${name} is not mounted there`,
    {
      hint: 'mount it, or call tsrun where it is mounted, and try again',
    },
  );
}

/**
 * True when the kernel has the hierarchy whose first controller is `first`, and `directory` is below none of its mounts.
 * A hierarchy that the kernel does not have has no cgroups: the host was booted since.
 */
export function isUnmounted(
  first: string,
  directory: string,
  memberships: readonly CgroupMembership[],
  { v1, v2 }: CgroupLayout,
): boolean {
  const exists = memberships.some(({ hierarchy, controllers }) =>
    first === '' ? hierarchy === 0 : controllers.includes(first),
  );
  const mounts = first === '' ? [v2] : v1.filter(({ controllers }) => controllers.includes(first));
  return exists && !mounts.some((mount) => mount !== undefined && covers(mount.mountpoint, directory));
}
