/** Security modules: AppArmor profile, SELinux labels (config.md, "Linux Process"; config-linux.md, "Mount Label"). */
import type { ParsedMount } from '../config/mounts.ts';
import type { Draft } from './draft.ts';
import type { Op } from './wire.ts';

/** AppArmor's word for no profile at all. */
const unconfined = 'unconfined';

/** SELinux registers its filesystem only when it is not switched off. */
export function hasSelinux({ facts }: Draft): boolean {
  return facts.filesystems.has('selinuxfs');
}

/** Refuses a profile or label that this host cannot give a process. */
export function requireSecurityModules(draft: Draft): void {
  const { apparmorProfile: profile = '', selinuxLabel = '' } = draft.config.process ?? {};
  // An empty profile or label is what Go programs write for "none". Without AppArmor everything is unconfined.
  if (profile !== '' && profile !== unconfined && draft.facts.apparmor !== true) {
    const reason = `AppArmor profile ${profile}: AppArmor is not enabled on this host`;
    const hint = 'boot with apparmor=1 security=apparmor, or remove process.apparmorProfile from the config';
    draft.refuse('unsupported', '/process/apparmorProfile', reason, hint);
  }
  if (selinuxLabel !== '' && !hasSelinux(draft)) {
    const reason = 'SELinux label: SELinux is not enabled on this host';
    const hint = 'remove process.selinuxLabel from the config, or enable SELinux';
    draft.refuse('unsupported', '/process/selinuxLabel', reason, hint);
  }
}

/**
 * What the process is confined by from execve on. Before privileges are given up, and before `create` ends, so
 * that a profile that is not loaded is found out early; its hooks run as confined as the process itself.
 */
export function compileProcessLabels({ config, facts }: Draft): Op[] {
  const { apparmorProfile: profile = '', selinuxLabel: label = '' } = config.process ?? {};
  const ops: Op[] = [];
  if (profile !== '' && facts.apparmor === true) {
    ops.push({ op: 'apparmorProfile', origin: '/process/apparmorProfile', profile });
  }
  if (label !== '')
    ops.push({ op: 'selinuxLabel', origin: '/process/selinuxLabel', attribute: 'exec', label });
  return ops;
}

/** The keyring made next belongs to the container, so it has the label of its process. */
export function keyringLabel(draft: Draft): Op[] {
  const { selinuxLabel: label = '' } = draft.config.process ?? {};
  return label === ''
    ? []
    : [{ op: 'selinuxLabel', origin: '/process/selinuxLabel', attribute: 'keycreate', label }];
}

/** The label for the container's files, or nothing when there is none or SELinux is off. */
function mountLabelOf(draft: Draft): string | undefined {
  const label = draft.config.linux?.mountLabel ?? '';
  return label !== '' && hasSelinux(draft) ? label : undefined;
}

/** For the files and mounts the init makes without being told one by one. Before the mounts. */
export function compileMountLabel(draft: Draft): Op[] {
  const label = mountLabelOf(draft);
  return label === undefined ? [] : [{ op: 'mountLabel', origin: '/linux/mountLabel', label }];
}

/** Filesystems whose files the kernel labels itself; it refuses a label for all of them. */
const labelledByKernel: ReadonlySet<string> = new Set(['proc', 'sysfs', 'cgroup', 'cgroup2', 'mqueue']);

/** The mount option that labels a new filesystem; none for one that has a context already. */
export function labelOption(draft: Draft, { options }: ParsedMount, type: string): string[] {
  const label = mountLabelOf(draft);
  if (label === undefined || labelledByKernel.has(type)) return [];
  return options.data.some((option) => /^(?:root|def|fs)?context=/.test(option)) ? [] : [`context=${label}`];
}

/**
 * A new mount of mqueue shows the one filesystem of its ipc namespace, which has no context to be given: its
 * root is labelled as a file.
 */
export function labelAfterMount(draft: Draft, { pointer, destination }: ParsedMount, type: string): Op[] {
  const label = mountLabelOf(draft);
  return label === undefined || type !== 'mqueue'
    ? []
    : [{ op: 'fileLabel', origin: pointer, path: destination, label }];
}
