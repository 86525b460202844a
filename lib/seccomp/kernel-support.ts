import { newListenerFlag } from '../plan/wire.ts';
import { TsrunError } from '../core/error.ts';
import { seccompKnowsFlags } from '../native/seccomp.ts';
import type { Seccomp } from '../config/types.ts';
import { filterFlags, waitKillableFlag } from './constants.ts';

/**
 * Checks that the kernel knows the flags of a profile: for the filter it would only say "invalid argument". All actions
 * are older than the oldest kernel that tsrun supports.
 * @throws TsrunError 'unsupported' with the pointer of the flag
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
  // The kernel takes this flag only together with that of a listener.
  return seccompKnowsFlags(flag === waitKillableFlag ? flag | newListenerFlag : flag);
}
