import type { Report } from '../../core/finding.ts';
import { error } from '../../core/finding.ts';
import { pointerTo } from '../../core/pointer.ts';
import type { Config } from '../types.ts';

/** config.md, "Annotations". */
export function annotations({ annotations }: Config, report: Report): void {
  if (Object.hasOwn(annotations ?? {}, '')) report(error('/annotations/', 'the key must not be empty'));
}

/**
 * To the kernel a string ends at its first NUL: what was checked would not be what is used. Annotations
 * do not reach the kernel.
 */
export function nulBytes(config: Config, report: Report): void {
  for (const [name, value] of Object.entries(config)) {
    if (name !== 'annotations') below(pointerTo('', name), value, report);
  }
}

function below(pointer: string, value: unknown, report: Report): void {
  if (typeof value === 'string') {
    if (value.includes('\0')) report(error(pointer, 'must not contain a NUL'));
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [name, child] of Object.entries(value)) {
    const at = pointerTo(pointer, name);
    if (name.includes('\0')) report(error(at, 'the name must not contain a NUL'));
    below(at, child, report);
  }
}
