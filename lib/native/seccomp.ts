import { call } from './library.ts';

/**
 * True when the kernel takes a filter with these flags of seccomp(2). False also for a kernel without seccomp, and
 * on a host that forbids the call.
 */
export function seccompKnowsFlags(flags: number): boolean {
  return call('tsrun_seccomp_knows_flags', flags) === 1;
}
