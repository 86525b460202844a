import { didYouMean } from '../../core/nearest-word.ts';
import { type Report, warning } from '../../core/finding.ts';
import { pointerTo } from '../../core/pointer.ts';
import { shorten } from '../../core/message-text.ts';
import { capabilityNumbers } from '../capabilities.ts';
import type { Process } from '../types.ts';

const sets = ['bounding', 'effective', 'inheritable', 'permitted', 'ambient'] as const;

/** config.md, "Linux Process": capabilities that cannot be had are warnings. */
export function capabilityNames({ capabilities = {} }: Process, report: Report): void {
  for (const set of sets) {
    for (const [i, name] of (capabilities[set] ?? []).entries()) {
      if (capabilityNumbers.has(name)) continue;
      const pointer = pointerTo('/process/capabilities', set, i);
      report(warning(pointer, 'no such capability, ignored', didYouMean(name, capabilityNumbers.keys())));
    }
  }
}

/** capabilities(7): the kernel lets a set contain only what certain others have. */
export function capabilitySubsets({ capabilities = {} }: Process, report: Report): void {
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
