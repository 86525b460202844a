import { intelRdt as checkIntelRdt } from '../config/rules/intel-rdt.ts';
import { stopAtError } from '../core/finding.ts';
import type { Finding } from '../core/finding.ts';
import { pointerTo } from '../core/pointer.ts';
import type { IntelRdt } from '../config/types.ts';
import type { Source } from '../core/source.ts';

/** A line of the command line for the schemata of a container's class in resctrl. */
export interface SchemaChange {
  /** The flag that gave it. */
  flag: string;
  /** The property of linux.intelRdt it stands for. */
  name: 'l3CacheSchema' | 'memBwSchema';
  line: string;
}

/** The schemata that are asked for, still to be validated, and the flag that gave each. */
export function drawSchemata(changes: readonly SchemaChange[]): {
  intelRdt: IntelRdt;
  sourceOf: (pointer: string) => Source | undefined;
} {
  const flags = new Map(changes.map(({ flag, name }) => [pointerTo('/linux/intelRdt', name), flag]));
  return {
    intelRdt: Object.fromEntries(changes.map(({ name, line }) => [name, line])),
    sourceOf: (pointer) => {
      const flag = flags.get(pointer);
      return flag === undefined ? undefined : { flag };
    },
  };
}

/**
 * Checks new schemata for a container's class.
 *
 * @throws TsrunError 'config', the first error.
 */
export function schemataWarnings(intelRdt: IntelRdt): Finding[] {
  const warnings: Finding[] = [];
  checkIntelRdt(intelRdt, stopAtError(warnings));
  return warnings;
}
