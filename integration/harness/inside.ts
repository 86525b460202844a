import { AssertionError } from 'chai';
import { type Edit, type Scene, succeeded } from './scene.ts';
import type { Result, RunOptions } from './run.ts';

/** A container that runs and does nothing by itself. */
export interface Inside {
  id: string;
  pid: number;
  /** `tsrun exec <flags> <id> <command>`, whatever comes of it. */
  exec: (flags: readonly string[], command?: readonly string[], options?: RunOptions) => Promise<Result>;
  /** Runs a shell script in it that must succeed; returns what it printed. */
  shell: (script: string, ...flags: readonly string[]) => Promise<string>;
}

/** Checks that exec itself has failed, with a message: not the process. */
export function refused(result: Result): Result {
  if (result.status === 255 && !result.timedOut && result.stderr.trim() !== '') return result;
  const { command, status, stdout, stderr } = result;
  throw new AssertionError(
    `expected exec to fail, but it ended with ${status}: ${command}\nstdout: ${stdout}\nstderr: ${stderr}`,
  );
}

/** Starts a container from the base config with `edit`. */
export async function started(scene: Scene, edit?: Edit): Promise<Inside> {
  const id = scene.id();
  scene.configure((config) => {
    config.process.args = ['sleep', '1000'];
    edit?.(config);
  });
  const pid = await scene.create(id);
  await scene.start(id);
  const exec: Inside['exec'] = (flags, command = [], options = {}) =>
    scene.tsrun(['exec', ...flags, id, ...command], options);
  return {
    id,
    pid,
    exec,
    shell: async (script, ...flags) => succeeded(await exec(flags, ['sh', '-c', script])).stdout,
  };
}
