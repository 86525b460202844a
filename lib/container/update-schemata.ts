import { intelRdt as rule } from '../config/rules/intel-rdt.ts';
import { stopAtError } from '../core/finding.ts';
import type { Finding } from '../core/finding.ts';
import { pointerTo } from '../core/pointer.ts';
import { printable } from '../core/printable.ts';
import type { IntelRdt } from '../config/types.ts';
import { placedBy } from './placed.ts';
import type { Place } from './placed.ts';

/** A line of the command line for the schemata of a container's class in resctrl. */
export interface SchemaChange {
  /** The flag that gave it. */
  flag: string;
  /** The property of linux.intelRdt it stands for. */
  name: 'l3CacheSchema' | 'memBwSchema';
  line: string;
}

/**
 * The schemata that are asked for, and where each was written.
 * @throws TsrunError 'config' for what cannot be such a line
 */
export function drawSchemata(changes: readonly SchemaChange[]): {
  intelRdt: IntelRdt;
  warnings: Finding[];
  place: Place;
} {
  const flags = new Map(changes.map(({ flag, name }) => [pointerTo('/linux/intelRdt', name), flag]));
  const place: Place = (pointer, reason) => printable(`${flags.get(pointer) ?? pointer}: ${reason}`);
  const intelRdt: IntelRdt = Object.fromEntries(changes.map(({ name, line }) => [name, line]));
  const warnings: Finding[] = [];
  placedBy(place, () => {
    rule({ ociVersion: '1.0.0', linux: { intelRdt } }, stopAtError(warnings));
  });
  return { intelRdt, warnings, place };
}
