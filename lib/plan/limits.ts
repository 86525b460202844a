/** What limits the process: its cgroups (cgroups(7)), resource limits (getrlimit(2)) and OOM score. */
import { validated } from '../core/assert.ts';
import { rlimitNumbers } from '../host/rlimits.ts';
import type { Process } from '../config/types.ts';
import type { Draft } from './draft.ts';
import type { Op, OpOf } from './wire.ts';

/** How the process gets into its cgroups. */
export interface CgroupOps {
  /** Opens the files of members: the container's process may be nobody on the host when it writes to them. */
  open: Op[];
  /** The process moves itself; the kernel judges by who opened the file (cgroups(7)). */
  join: Op[];
}

export function joinCgroups(draft: Draft): CgroupOps {
  const origin = '/linux/cgroupsPath';
  const files = (draft.options.cgroupTasks ?? []).map((path) => ({ path, slot: draft.slot(origin) }));
  return {
    open: files.map(({ path, slot }) => ({ op: 'openCgroup', origin, slot, path })),
    join: files.map(({ slot }) => ({ op: 'joinCgroup', origin, slot })),
  };
}

/**
 * A process that others see is cloned into its cgroup v2. Comes first, while A has the rights of the caller.
 */
export function cloneIntoCgroup({ options, visible }: Draft): Op[] {
  return visible && options.cloneIntoCgroup === true ? [{ op: 'cloneIntoCgroup', origin: '' }] : [];
}

/** In process A, while it still has the rights of the caller: lowering it needs CAP_SYS_RESOURCE on the host. */
export function compileOomScore({ config }: Draft): Op[] {
  const value = config.process?.oomScoreAdj;
  return value === undefined ? [] : [{ op: 'oomScoreAdj', origin: '/process/oomScoreAdj', value }];
}

/**
 * Raises hard limits in process A, with the rights of the caller: in a user namespace process B may not. B sets them as
 * the config says.
 */
export function raiseHardLimits({ config, inUserNamespace }: Draft): Op[] {
  if (!inUserNamespace) return [];
  return (config.process?.rlimits ?? []).map(({ type, hard }, index) => {
    const origin = `/process/rlimits/${index}`;
    return { op: 'raiseHardLimit', origin, resource: rlimitNumber(type, origin), hard };
  });
}

/** Descriptors the init and its hooks may need; what the process may have in the end can be less. */
const enoughDescriptors = 256;

/**
 * Sets the limits. One that would stop the init is set to something larger first and lowered in the end, which needs no
 * capability.
 */
export function compileRlimits(draft: Draft, { rlimits = [] }: Process): { asRoot: Op[]; last: Op[] } {
  const asRoot: Op[] = [];
  const last: Op[] = [];
  rlimits.forEach(({ type, soft, hard }, index) => {
    const origin = `/process/rlimits/${index}`;
    const limit: OpOf<'rlimit'> = { op: 'rlimit', origin, resource: rlimitNumber(type, origin), soft, hard };
    if (type === 'RLIMIT_NPROC' && draft.visible) {
      // The user has one process more while A clones B.
      asRoot.push({ op: 'raiseHardLimit', origin, resource: limit.resource, hard });
      last.push(limit);
      return;
    }
    if (type !== 'RLIMIT_NOFILE' || soft >= enoughDescriptors) {
      asRoot.push(limit);
      return;
    }
    asRoot.push({
      ...limit,
      soft: enoughDescriptors,
      hard: hard < enoughDescriptors ? enoughDescriptors : hard,
    });
    last.push(limit);
  });
  return { asRoot, last };
}

function rlimitNumber(type: string, origin: string): number {
  return validated(rlimitNumbers.get(type), `${origin}/type`);
}
