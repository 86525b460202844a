import type { Notice, Sink } from '../core/finding.ts';

/** Nobody listens. */
export const silentSink: Sink = { warn: () => undefined, debug: () => undefined };

/** Keeps the warnings. */
export function keepWarnings(): Sink & { warnings: Notice[] } {
  const warnings: Notice[] = [];
  return { warnings, warn: (notice) => void warnings.push(notice), debug: () => undefined };
}
