import { nearest } from '../../core/nearest.ts';
import { capabilityNumbers } from '../capabilities.ts';
import type { Report } from '../../core/finding.ts';
import { error, warning } from '../../core/finding.ts';
import { pointerTo } from '../../core/pointer.ts';
import { quoted, shorten } from '../../core/printable.ts';
import { rlimitNumbers } from '../../host/rlimits.ts';
import type { Config } from '../types.ts';

/** config.md, "POSIX process": unknown and duplicate types are errors. */
export function rlimits({ process }: Config, report: Report): void {
  const seen = new Set<string>();
  for (const [i, { type, soft, hard }] of (process?.rlimits ?? []).entries()) {
    const pointer = pointerTo('/process/rlimits', i);
    if (!rlimitNumbers.has(type))
      report(error(`${pointer}/type`, 'no such resource limit', didYouMean(type, rlimitNumbers)));
    if (seen.has(type)) report(error(`${pointer}/type`, 'this limit is given twice'));
    seen.add(type);
    if (soft > hard) report(error(`${pointer}/soft`, `must not be above the hard limit (${hard})`));
  }
}

const sets = ['bounding', 'effective', 'inheritable', 'permitted', 'ambient'] as const;

/** config.md, "Linux Process": capabilities that cannot be had are warnings. */
export function capabilityNames({ process }: Config, report: Report): void {
  for (const set of sets) {
    for (const [i, name] of (process?.capabilities?.[set] ?? []).entries()) {
      if (capabilityNumbers.has(name)) continue;
      const pointer = pointerTo('/process/capabilities', set, i);
      report(warning(pointer, 'no such capability, ignored', didYouMean(name, capabilityNumbers)));
    }
  }
}

/** capabilities(7): the kernel lets a set contain only what certain others have. */
export function capabilitySubsets({ process }: Config, report: Report): void {
  const capabilities = process?.capabilities;
  if (capabilities === undefined) return;
  const needs = [
    ['effective', 'permitted'],
    ['ambient', 'permitted'],
    ['ambient', 'inheritable'],
  ] as const;
  for (const [set, container] of needs) {
    // buildah gives its containers an ambient set and no inheritable one: it knows that nothing comes of it.
    if (container === 'inheritable' && (capabilities.inheritable ?? []).length === 0) continue;
    const allowed = new Set(capabilities[container]);
    const refused = (capabilities[set] ?? []).filter(
      (name) => capabilityNumbers.has(name) && !allowed.has(name),
    );
    if (refused.length > 0) {
      const names = shorten(refused.join(', '), 200);
      report(
        warning(`/process/capabilities/${set}`, `${names} cannot be had without being in "${container}"`),
      );
    }
  }
}

function didYouMean(name: string, known: ReadonlyMap<string, number>): string | undefined {
  const meant = nearest(name, [...known.keys()]);
  return meant === undefined ? undefined : `Did you mean ${quoted(meant)}?`;
}
