import type { Tell } from '../core/finding.ts';
import { isObject } from '../core/is-object.ts';
import { nearestWord } from '../core/nearest-word.ts';
import { capabilityNumbers } from '../config/capabilities.ts';
import { pointerTo } from '../core/pointer.ts';
import type { Capabilities, Process, User } from '../config/types.ts';

/** How `exec` changes the process it starts from; lists are added to those that are there. */
export interface ProcessChanges {
  /** The whole command; empty: that of the process file. */
  args: readonly string[];
  cwd?: string | undefined;
  /** NAME=value each. */
  env: readonly string[];
  terminal: boolean;
  user?: { uid: number; gid?: number | undefined } | undefined;
  additionalGids: readonly number[];
  capabilities: readonly string[];
  noNewPrivileges: boolean;
  apparmorProfile?: string | undefined;
  selinuxLabel?: string | undefined;
}

/** Where parts of the process come from: the flag, by the pointer of the part. */
export type ChangedBy = ReadonlyMap<string, string>;

/** Restrictions and privileges that a process has from the container's own one when it does not name them. */
const inherited = [
  'capabilities',
  'rlimits',
  'apparmorProfile',
  'selinuxLabel',
  'oomScoreAdj',
  'scheduler',
  'ioPriority',
  'execCPUAffinity',
] as const satisfies readonly (keyof Process)[];

/**
 * Fills in what the process of a file leaves open from `container`, the container's own one. Also returns the names of
 * the properties that come from there.
 */
export function inheritProcess(
  processSpec: Process,
  container: Process,
): { process: Process; inherited: ReadonlySet<string> } {
  const missing = inherited.filter((name) => isEmpty(processSpec[name]) && !isEmpty(container[name]));
  const taken = Object.fromEntries(missing.map((name) => [name, container[name]]));
  return { process: { ...processSpec, ...taken }, inherited: new Set(missing) };
}

/** Go programs write an empty label or list, or null, for "none given". */
function isEmpty(value: unknown): boolean {
  return (
    value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
  );
}

/**
 * Applies the flags of `exec` to a process that need not be valid; what cannot be changed because it is malformed stays
 * as it is, for the validation to refuse.
 */
export function changeProcess(
  base: Process,
  changes: ProcessChanges,
): { process: Process; changedBy: ChangedBy } {
  const changedBy = new Map<string, string>();
  const processSpec: Process = { ...base };
  const set = <N extends keyof Process>(name: N, value: Process[N], flag: string): void => {
    processSpec[name] = value;
    changedBy.set(pointerTo('/process', name), flag);
  };
  if (changes.args.length > 0) set('args', [...changes.args], '');
  if (changes.cwd !== undefined) set('cwd', changes.cwd, '--cwd');
  if (changes.apparmorProfile !== undefined) {
    set('apparmorProfile', changes.apparmorProfile, '--apparmor');
  }
  if (changes.selinuxLabel !== undefined) set('selinuxLabel', changes.selinuxLabel, '--process-label');
  if (changes.terminal) set('terminal', true, '--tty');
  if (changes.noNewPrivileges) set('noNewPrivileges', true, '--no-new-privs');
  const before = base.env ?? [];
  if (Array.isArray(before) && changes.env.length > 0) {
    processSpec.env = [...before, ...changes.env];
    changes.env.forEach((_, index) =>
      changedBy.set(pointerTo('/process/env', before.length + index), '--env'),
    );
  }
  changeUser(processSpec, changes, changedBy);
  if (changes.capabilities.length > 0 && isObject(base.capabilities ?? {})) {
    set('capabilities', addCapabilities(base.capabilities, changes.capabilities), '--cap');
  }
  return { process: processSpec, changedBy };
}

function changeUser(
  processSpec: Process,
  { user, additionalGids }: ProcessChanges,
  changedBy: Map<string, string>,
): void {
  if (!isObject(processSpec.user ?? {})) return;
  const change = (part: User, ...names: readonly string[]): void => {
    processSpec.user = { ...processSpec.user, ...part };
    const flag = names.includes('additionalGids') ? '--additional-gids' : '--user';
    for (const name of names) changedBy.set(pointerTo('/process/user', name), flag);
  };
  if (user !== undefined) change({ uid: user.uid }, 'uid');
  if (user?.gid !== undefined) change({ gid: user.gid }, 'gid');
  const groups = processSpec.user?.additionalGids ?? [];
  if (additionalGids.length > 0 && Array.isArray(groups)) {
    change({ additionalGids: [...groups, ...additionalGids] }, 'additionalGids');
  }
}

/**
 * Adds capabilities, but no inheritable ones: every program that the process executes could raise them by a file that
 * lists them (CVE-2022-29162). Ambient ones where the process has them inheritable already.
 */
function addCapabilities(given: Capabilities | undefined, names: readonly string[]): Capabilities {
  const add = (set: string[] = [], more: readonly string[]): string[] =>
    Array.isArray(set) ? [...new Set([...set, ...more])] : set;
  const inheritable = Array.isArray(given?.inheritable) ? given.inheritable : [];
  const ambient = names.filter((name) => inheritable.includes(name));
  return {
    ...given,
    bounding: add(given?.bounding, names),
    effective: add(given?.effective, names),
    permitted: add(given?.permitted, names),
    ...(ambient.length === 0 ? {} : { ambient: add(given?.ambient, ambient) }),
  };
}

/** The names that are capabilities; warns of each other one. */
export function knownCapabilities(names: readonly string[], warn: Tell): readonly string[] {
  return names.filter((name) => {
    if (capabilityNumbers.has(name)) return true;
    const meant = nearestWord(name, [...capabilityNumbers.keys()]);
    const question = meant === undefined ? '' : `; did you mean ${meant}?`;
    warn({ reason: `--cap ${JSON.stringify(name)}: no such capability, ignored${question}` });
    return false;
  });
}
