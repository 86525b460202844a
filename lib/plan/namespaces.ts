import { assertValid } from '../core/assert.ts';
import { namespaces } from '../config/namespaces.ts';
import { sysctlIn } from '../config/sysctl.ts';
import type { Config, NamespaceType } from '../config/types.ts';
import { type Draft, originOf } from './draft.ts';
import { keyringLabel } from './security-modules.ts';
import { noSlot, type Op, type OpOf } from './wire.ts';

/** Namespaces that clone3(2) makes. Cgroup comes after joining the cgroup, time after writing its offsets. */
const clonedTypes: readonly NamespaceType[] = ['user', 'pid', 'network', 'mount', 'ipc', 'uts'];

/**
 * The order of setns(2). The mount namespace comes last but for user: once it is entered, an error about the path of
 * another namespace could not be explained by looking at that path.
 */
const enterOrder: readonly NamespaceType[] = ['pid', 'time', 'ipc', 'uts', 'network', 'cgroup', 'mount'];

/** The slots of the namespaces that are joined. */
export type NamespaceSlots = ReadonlyMap<NamespaceType, number>;

/** Opens every namespace that is joined, while A still sees the caller's paths. */
export function openNamespaces(draft: Draft): { ops: Op[]; joined: NamespaceSlots } {
  const joined = new Map<NamespaceType, number>();
  const ops: Op[] = [];
  for (const [index, { type, path = '' }] of (draft.config.linux?.namespaces ?? []).entries()) {
    if (path === '') continue;
    const origin = `/linux/namespaces/${index}/path`;
    const slot = draft.slot(origin);
    joined.set(type, slot);
    const sysctl = sysctlIn(draft.config.linux, type);
    const changes = sysctl === undefined ? '' : `sysctl ${sysctl}`;
    ops.push({ op: 'openNamespace', origin, slot, type: namespaces[type].flag, path, changes });
  }
  return { ops, joined };
}

/**
 * Whether the pid namespace is entered as late as can be: whatever A makes until then is out of the sight of those
 * who live in it. In a new user namespace A has no power over it any more.
 */
function entersPidLate({ namespaces: { pid, user } }: Draft): boolean {
  return pid === 'joined' && user !== 'new';
}

/** The pid namespace that is entered late; mounts of procfs show it all the same. */
export function showPidNamespace(draft: Draft, joined: NamespaceSlots): Op[] {
  const slot = joined.get('pid');
  if (slot === undefined || !entersPidLate(draft)) return [];
  return [{ op: 'procfsPidNamespace', origin: `${namespaceOrigin(draft.config, 'pid')}/path`, slot }];
}

export function enterPidNamespace(draft: Draft, joined: NamespaceSlots): Op[] {
  return entersPidLate(draft) ? enter(draft, joined, 'pid') : [];
}

/** Enters what openNamespaces opened, but for what enterPidNamespace enters. */
export function enterNamespaces(draft: Draft, joined: NamespaceSlots): Op[] {
  const { privileged, uid } = draft.facts;
  // Root may enter any namespace it has power over, but only until it gives up its user namespace. Everybody
  // else gets the power from the user namespace that owns the others, so it comes first (setns(2)).
  const userLast = privileged || uid === 0;
  const order: readonly NamespaceType[] = userLast ? [...enterOrder, 'user'] : ['user', ...enterOrder];
  return order.flatMap((type) => {
    if (type !== 'pid' || !entersPidLate(draft)) return enter(draft, joined, type);
    return userLast ? enterPidOfOthers(draft, joined) : [];
  });
}

/** A user namespace that is joined may have no power over the pid namespace: then this is the last chance. */
function enterPidOfOthers({ config }: Draft, joined: NamespaceSlots): Op[] {
  const slot = joined.get('pid');
  const userSlot = joined.get('user');
  if (slot === undefined || userSlot === undefined) return [];
  const origin = `${namespaceOrigin(config, 'pid')}/path`;
  const hooks = (config.hooks?.createContainer ?? []).length;
  return [{ op: 'enterPidNamespaceOfOthers', origin, slot, userSlot, hooks }];
}

function enter({ config }: Draft, joined: NamespaceSlots, type: NamespaceType): Op[] {
  const slot = joined.get(type);
  if (slot === undefined) return [];
  const origin = `${namespaceOrigin(config, type)}/path`;
  return [{ op: 'enterNamespace', origin, slot, type: namespaces[type].flag }];
}

/** A makes the new namespaces for itself where it makes the container (unshare(2)). */
export function unshareNamespaces(draft: Draft): Op[] {
  const { origin, flags } = cloneProcess(draft);
  return flags === 0 ? [] : [{ op: 'unshare', origin, flags }];
}

/** The clone of process B, into all the new namespaces. */
export function cloneProcess(draft: Draft): OpOf<'clone'> {
  const flags = clonedTypes
    .filter((type) => draft.namespaces[type] === 'new' && !(type === 'ipc' && hasLateIpc(draft)))
    .reduce((sum, type) => sum + namespaces[type].flag, 0);
  return { op: 'clone', origin: flags === 0 ? '' : '/linux/namespaces', flags };
}

/**
 * The queues of an ipc namespace (mqueue) belong to who makes it. For clone3(2) that is the caller, whom a new user
 * namespace does not know, so B makes it, as root there.
 */
function hasLateIpc({ namespaces: { ipc, user } }: Draft): boolean {
  return ipc === 'new' && user === 'new';
}

/** What is done to the new namespaces once the engine has written its id maps and joined its cgroups. */
export function settleNamespaces(draft: Draft): Op[] {
  const { config, options } = draft;
  const ops: Op[] = [];
  if (draft.namespaces.user === 'new') {
    // Before anything that is checked against the new user namespace, or makes a file in it: until now B is
    // still the caller's user, whose id may not even be mapped.
    ops.push({ op: 'becomeRoot', origin: originOf(config.linux?.uidMappings, '/linux/uidMappings') });
  }
  if (!draft.visible) ops.push({ op: 'newSession', origin: '' });
  if (hasLateIpc(draft)) {
    ops.push({ op: 'unshare', origin: namespaceOrigin(config, 'ipc'), flags: namespaces.ipc.flag });
  }
  if (draft.namespaces.cgroup === 'new') {
    // The cgroup of the process at this moment becomes the root of the namespace (cgroup_namespaces(7)).
    ops.push({
      op: 'unshare',
      origin: namespaceOrigin(config, 'cgroup'),
      flags: namespaces.cgroup.flag,
    });
  }
  if (!options.noNewKeyring) {
    ops.push(...keyringLabel(draft), { op: 'keyring', origin: '', name: `_ses.${options.containerId}` });
  }
  if (draft.namespaces.network === 'new') {
    ops.push({ op: 'loopback', origin: namespaceOrigin(config, 'network') });
  }
  return [...ops, ...hostNames(draft)];
}

function hostNames(draft: Draft): Op[] {
  return (['hostname', 'domainname'] as const).flatMap((op): Op[] => {
    const name = draft.config[op];
    // An empty name is what Go programs write for "none".
    if (name === undefined || name === '') return [];
    // It would rename the host.
    assertValid(draft.namespaces.uts !== 'shared', `/${op}`);
    return [{ op, origin: `/${op}`, name }];
  });
}

/** When a time namespace is made. */
export interface TimeOps {
  /** In A, as the caller. */
  opened: Op[];
  /** In A, after it has entered namespaces. */
  inherited: Op[];
  /** In B, before it hides itself. */
  own: Op[];
}

/**
 * A process that hides (PR_SET_DUMPABLE) from others in a namespace it has entered may not open its own
 * timens_offsets any more, and must not come out of hiding for it: it holds descriptors of the host. So A opens
 * them before it enters any, and B is born in the namespace. Only that of a new user namespace has to be made by
 * B, which nobody can ptrace until it is root in that namespace.
 */
export function timeNamespace(draft: Draft): TimeOps {
  const ops: TimeOps = { opened: [], inherited: [], own: [] };
  const { config, namespaces } = draft;
  if (namespaces.time !== 'new') return ops;
  const { origin, offsets } = timeOffsets(config);
  if (namespaces.user === 'new') {
    ops.own.push({ op: 'timeNamespace', origin, offsets, slot: noSlot });
    return ops;
  }
  const slot = draft.slot(origin);
  ops.opened.push({ op: 'openTimeOffsets', origin, slot });
  ops.inherited.push({ op: 'timeNamespace', origin, offsets, slot });
  return ops;
}

/** `monotonic 86400 0` lines, as /proc/<pid>/timens_offsets takes them (time_namespaces(7)). */
function timeOffsets(config: Config): Pick<OpOf<'timeNamespace'>, 'origin' | 'offsets'> {
  const offsets = config.linux?.timeOffsets;
  const text = Object.entries(offsets ?? {})
    .map(([clock, { secs = 0, nanosecs = 0 }]) => `${clock} ${secs} ${nanosecs}\n`)
    .join('');
  return {
    origin: offsets === undefined ? namespaceOrigin(config, 'time') : '/linux/timeOffsets',
    offsets: text,
  };
}

/** The pointer of the namespace's entry. */
export function namespaceOrigin(config: Config, type: NamespaceType): string {
  const index = config.linux?.namespaces?.findIndex((namespace) => namespace.type === type) ?? -1;
  return index < 0 ? '' : `/linux/namespaces/${index}`;
}
