import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectRoot = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** The runtime under test, as built. */
export const tsrun = process.env['TSRUN_TEST_RUNTIME'] ?? join(projectRoot, 'dist', 'tsrun');

/** Which engine of the launcher this run of the tests is about. */
export const engine = process.env['TSRUN_TEST_ENGINE'] === 'node' ? 'node' : 'bun';

/**
 * The environment of the programs under test: nothing of the developer's own, so that a run says the same
 * everywhere.
 */
export function cleanEnv(more: Record<string, string> = {}): Record<string, string> {
  const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  const node = engine === 'node' ? { TSRUN_ENGINE: 'node' } : {};
  return { PATH: `${nodeFolder}:${path}`, HOME: '/root', LANG: 'C.UTF-8', ...node, ...more };
}

/** The Node that runs the tests also runs the engine under test. */
const nodeFolder = join(process.execPath, '..');

/** Compiles one of integration/programs, statically so that it also runs inside a container. */
export function compileProgram(name: string, folder: string): string {
  mkdirSync(folder, { recursive: true });
  const output = join(folder, name);
  const source = join(projectRoot, 'integration', 'programs', `${name}.c`);
  execFileSync('gcc', ['-std=gnu11', '-O1', '-Wall', '-Wextra', '-Werror', '-static', '-o', output, source]);
  return output;
}
