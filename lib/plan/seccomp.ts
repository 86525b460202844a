/** The system call filter (config-linux.md, "Seccomp"; seccomp(2)). */
import { validated } from '../core/assert.ts';
import type { Draft } from './draft.ts';
import { loadsBeforeClone } from './visible-clone.ts';
import type { Op } from './wire.ts';

/** Where the filter is loaded: its operations for each of the places, all but one of them empty. */
export interface FilterPlacement {
  /** Before the user and the capabilities change. */
  privileged: Op[];
  /** Before the process waits for `start`. */
  beforeStart: Op[];
  /** After it. */
  afterStart: Op[];
}

/**
 * The later it is loaded, the fewer system calls of the init it must allow.
 *
 * Without no_new_privs loading takes CAP_SYS_ADMIN, which the container's process may not have: it comes before
 * capabilities are given up. A filter that notifies is loaded by `create`: its agent must have the listener
 * before anything depends on it, and one that cannot be reached makes `create` fail. A process that others see is born
 * with its filter: whoever traces it could otherwise make it call what the filter denies.
 */
export function placeFilter(draft: Draft): FilterPlacement {
  const none = { privileged: [], beforeStart: [], afterStart: [] };
  const { config, options } = draft;
  if (config.linux?.seccomp === undefined) return none;
  const filter = validated(options.seccomp, '/linux/seccomp');
  const load: Op = {
    op: 'seccomp',
    origin: '/linux/seccomp',
    flags: filter.flags,
    program: filter.program,
  };
  if (config.process?.noNewPrivileges !== true) return { ...none, privileged: [load] };
  return filter.notify || loadsBeforeClone(draft)
    ? { ...none, beforeStart: [load] }
    : { ...none, afterStart: [load] };
}
