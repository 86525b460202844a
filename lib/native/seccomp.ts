import { native } from './library.ts';
import type { Native } from './library.ts';

const knowsFlags: Native<[number]> = native('int tsrun_seccomp_knows_flags(unsigned int)');

/**
 * True when the kernel takes a filter with these flags of seccomp(2). A kernel without seccomp, or a host that
 * forbids the call, takes none.
 */
export function seccompKnowsFlags(flags: number): boolean {
  return knowsFlags(flags) === 1;
}
