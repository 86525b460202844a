import { assertValid } from '../core/assert.ts';
import type { Draft } from './draft.ts';
import type { Op } from './wire.ts';

/** config-linux.md, "Masked Paths" and "Readonly Paths". After all mounts, so that none of them shows a masked path. */
export function compilePaths({ config, ownMounts }: Draft): Op[] {
  const { readonlyPaths = [], maskedPaths = [] } = config.linux ?? {};
  assertValid(ownMounts || maskedPaths.length === 0, '/linux/maskedPaths');
  assertValid(ownMounts || readonlyPaths.length === 0, '/linux/readonlyPaths');
  return [
    // Read-only ones first: making a path read-only copies what is mounted on it, so a mask goes on top.
    ...readonlyPaths.map((path, index): Op => ({
      op: 'readonlyPath',
      origin: `/linux/readonlyPaths/${index}`,
      path,
    })),
    ...maskedPaths.map((path, index): Op => ({
      op: 'maskPath',
      origin: `/linux/maskedPaths/${index}`,
      path,
    })),
  ];
}
