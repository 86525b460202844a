/** What tsrun's own process may do, which its containers inherit. */
import { readFileSync } from 'node:fs';
import { rlimitNumbers } from './rlimits.ts';

/** Sets of capabilities as bit masks (capabilities(7)). */
export interface OwnCapabilities {
  permitted: bigint;
  bounding: bigint;
}

export function ownCapabilities(): OwnCapabilities {
  return parseCapabilities(readFileSync('/proc/self/status', 'utf8'));
}

/** The sets in /proc/<pid>/status. */
export function parseCapabilities(status: string): OwnCapabilities {
  const mask = (name: string): bigint =>
    BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0'}`);
  return { permitted: mask('CapPrm'), bounding: mask('CapBnd') };
}

/** The hard limits by their names in a config; undefined for unlimited. */
export function ownHardLimits(): ReadonlyMap<string, bigint | undefined> {
  return parseHardLimits(readFileSync('/proc/self/limits', 'utf8'));
}

/** The hard limits in /proc/<pid>/limits, whose lines are in the order of their numbers. */
export function parseHardLimits(text: string): ReadonlyMap<string, bigint | undefined> {
  const lines = text.split('\n').slice(1);
  return new Map(
    [...rlimitNumbers].map(([name, number]) => {
      const [, hard] = /\s(?:[0-9]+|unlimited)\s+([0-9]+|unlimited)\s/.exec(`${lines[number] ?? ''} `) ?? [];
      return [name, hard === undefined || hard === 'unlimited' ? undefined : BigInt(hard)];
    }),
  );
}

/** /proc/self/oom_score_adj. */
export function ownOomScoreAdj(): number {
  return Number(readFileSync('/proc/self/oom_score_adj', 'utf8'));
}

/** True in any user namespace but the initial one, in which every id maps to itself. */
export function inUserNamespace(): boolean {
  try {
    return !/^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'));
  } catch {
    return false;
  }
}
