import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sharedFolder } from './hooks.ts';
import { compileProgram } from './programs.ts';

/** The path of one of integration/programs, compiled once a run. */
export function sharedProgram(name: string): string {
  const path = join(sharedFolder(), name);
  return existsSync(path) ? path : compileProgram(name, sharedFolder());
}
