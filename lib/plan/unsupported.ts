import { TsrunError } from '../errors.ts';
import { pointerSegments } from '../spec/pointer.ts';
import type { Config } from '../spec/types.ts';

/**
 * Properties the init can do nothing about yet, as JSON pointers. `tsrun features` reports from the same list.
 */
export const unsupportedProperties: readonly string[] = ['/linux/intelRdt'];

/** Known mount options (lib/spec/mount-options.ts) that nothing is done for yet. */
export const unsupportedMountOptions: readonly string[] = ['copy-symlink', 'dest-nofollow'];

/**
 * Refuses what the init cannot do yet. To run the container without it would be worse: most of these are what
 * its owner relies on to be safe.
 * @throws TsrunError 'unsupported' with the pointer
 */
export function refuseUnsupported(config: Config): void {
  for (const pointer of unsupportedProperties) {
    const value = valueAt(config, pointer);
    // An empty label or profile is what Go programs write for "none".
    if (value === undefined || value === '') continue;
    const name = pointer.slice(1).replaceAll('/', '.');
    throw new TsrunError('unsupported', `${name} is not supported`, { pointer });
  }
}

function valueAt(config: Config, pointer: string): unknown {
  return pointerSegments(pointer).reduce<unknown>(
    (value, name) =>
      typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined,
    config,
  );
}
