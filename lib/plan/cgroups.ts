import type { Draft } from './draft.ts';
import type { Op } from './wire.ts';

const origin = '/linux/cgroupsPath';

/** Opens what joinCgroups writes to: the container's process may be nobody on the host by then. */
export function openCgroups(draft: Draft): Op[] {
  return (draft.options.cgroupTasks ?? []).map((path) => {
    const slot = draft.slot(origin);
    draft.cgroupSlots.push(slot);
    return { op: 'openCgroup', origin, slot, path };
  });
}

/** The process moves itself into its cgroups; the kernel judges by who opened the file (cgroups(7)). */
export function joinCgroups(draft: Draft): Op[] {
  return draft.cgroupSlots.map((slot) => ({ op: 'joinCgroup', origin, slot }));
}

/**
 * For a process that others see at once: it is born in its cgroups, which A has joined. First of all, with the rights
 * of the caller.
 */
export function cloneIntoCgroup({ options, visible }: Draft): Op[] {
  return visible && options.cloneIntoCgroup === true ? [{ op: 'cloneIntoCgroup', origin: '' }] : [];
}
