import { lstatSync } from 'node:fs';
import { fileError } from '../core/error.ts';

/** True when there is something at `path`, be it a link that leads nowhere. Throws when the kernel does not tell. */
export function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    throw fileError(`look at ${path}`, error);
  }
}
