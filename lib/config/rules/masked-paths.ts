import { error, type Report } from '../../core/finding.ts';
import { pointerTo } from '../../core/pointer.ts';
import type { Config } from '../types.ts';

/** config-linux.md, "Masked Paths" and "Readonly Paths". */
export function restrictedPaths({ linux }: Config, report: Report): void {
  for (const name of ['maskedPaths', 'readonlyPaths'] as const) {
    for (const [i, path] of (linux?.[name] ?? []).entries()) {
      if (!path.startsWith('/')) report(error(pointerTo('/linux', name, i), 'must be an absolute path'));
      else if (name === 'maskedPaths' && /^[/.]*$/.test(path))
        report(error(pointerTo('/linux', name, i), 'would hide the whole container'));
    }
  }
}
