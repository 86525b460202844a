import { TsrunError } from '../core/error.ts';
import { seccompKnowsFlags } from '../native/seccomp.ts';
import type { Seccomp } from '../config/types.ts';
import { filterFlags, newListenerFlag, waitKillableFlag } from './constants.ts';

/**
 * Throws 'unsupported', with its pointer, for a flag this kernel does not know: of the filter it would only say
 * "invalid argument". Actions need no asking: all of them are older than the oldest kernel tsrun runs on.
 */
export function requireKernelSupport({ flags }: Seccomp): void {
  flags?.forEach((name, i) => {
    if (kernelKnowsFlag(name)) return;
    throw new TsrunError('unsupported', `this kernel does not know the seccomp flag ${name}`, {
      pointer: `/linux/seccomp/flags/${i}`,
    });
  });
}

/** True when seccomp(2) of this kernel takes a filter with the flag of the specification. */
export function kernelKnowsFlag(name: string): boolean {
  const flag = filterFlags[name] ?? 0;
  // It is about the listener's notifications, and refused without a listener.
  return seccompKnowsFlags(flag === waitKillableFlag ? flag | newListenerFlag : flag);
}
