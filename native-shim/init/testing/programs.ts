import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** True when PATH has the program. */
export function isInstalled(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0;
}

/**
 * Compiles testing/<name>.c, statically so that it also runs in a container. Returns the path in `folder`.
 * `flags` are added to those of the compiler.
 */
export function compile(name: string, folder: string, ...flags: string[]): string {
  const output = join(folder, name);
  const source = join(import.meta.dirname, `${name}.c`);
  const all = ['-std=gnu11', '-O1', '-Wall', '-Wextra', '-Werror', '-static', ...flags];
  execFileSync('gcc', [...all, '-o', output, source]);
  return output;
}
