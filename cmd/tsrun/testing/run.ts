import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const entry = fileURLToPath(new URL('../main.ts', import.meta.url));
const root = fileURLToPath(new URL('../../..', import.meta.url));

export interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs tsrun from its source to the end. `env` is added to the environment. */
export function tsrun(args: readonly string[], env: Record<string, string> = {}): Outcome {
  const { status, stdout, stderr, error } = spawnSync(process.execPath, ['--import', 'tsx', entry, ...args], {
    // Where tsx is found.
    cwd: root,
    encoding: 'utf8',
    timeout: 30_000,
    env: { ...process.env, ...env },
  });
  if (error !== undefined) throw error;
  return { status, stdout, stderr };
}
