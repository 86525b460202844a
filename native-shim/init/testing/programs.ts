import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** Compiles testing/<name>.c, statically so that it also runs in a container. Returns the path in `folder`. */
export function compile(name: string, folder: string): string {
  const output = join(folder, name);
  const source = join(import.meta.dirname, `${name}.c`);
  execFileSync('gcc', ['-std=gnu11', '-O1', '-Wall', '-Wextra', '-Werror', '-static', '-o', output, source]);
  return output;
}
