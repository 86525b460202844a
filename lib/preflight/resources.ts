import { error } from '../core/finding.ts';
import type { Integer, Resources } from '../config/types.ts';
import type { HostCheck } from './host-view.ts';

interface Bounds {
  at: string;
  get: (resources: Resources) => Integer | undefined;
  least: bigint;
  most: bigint;
}

/** What every kernel takes, on cgroup v1 and v2. What is not positive asks for the default, or for no limit. */
const bounds: readonly Bounds[] = [
  // sched-bwc.rst: 1 ms to 1 s.
  { at: '/cpu/period', get: ({ cpu }) => cpu?.period, least: 1000n, most: 1_000_000n },
  { at: '/cpu/quota', get: ({ cpu }) => cpu?.quota, least: 1000n, most: (1n << 63n) - 1n },
  // PID_MAX_LIMIT of a 64-bit kernel.
  { at: '/pids/limit', get: ({ pids }) => pids?.limit, least: 1n, most: 1n << 22n },
];

/** Limits out of the kernel's bounds, which it refuses. */
export const resourceBounds: HostCheck = ({ config: { linux } }, report) => {
  for (const { at, get, least, most } of bounds) {
    const value = BigInt(get(linux?.resources ?? {}) ?? 0);
    if (value <= 0n || (value >= least && value <= most)) continue;
    const [word, bound] = value < least ? ['below', least] : ['above', most];
    report(error(`/linux/resources${at}`, `is ${word} ${bound}, and the kernel will refuse it`));
  }
};
