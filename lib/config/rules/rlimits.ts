import { didYouMean } from '../../core/nearest-word.ts';
import { error, type Report } from '../../core/finding.ts';
import { pointerTo } from '../../core/pointer.ts';
import { rlimitNumbers } from '../../host/rlimits.ts';
import type { Process } from '../types.ts';

/** config.md, "POSIX process": unknown and duplicate types are errors. */
export function rlimits({ rlimits = [] }: Process, report: Report): void {
  const seen = new Set<string>();
  for (const [i, { type, soft, hard }] of rlimits.entries()) {
    const pointer = pointerTo('/process/rlimits', i);
    if (!rlimitNumbers.has(type))
      report(error(`${pointer}/type`, 'no such resource limit', didYouMean(type, rlimitNumbers.keys())));
    if (seen.has(type)) report(error(`${pointer}/type`, 'this limit is given twice'));
    seen.add(type);
    if (soft > hard) report(error(`${pointer}/soft`, `must not be above the hard limit (${hard})`));
  }
}
