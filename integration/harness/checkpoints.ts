import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { criuEnv } from './criu.ts';
import type { Result, RunOptions } from './run.ts';
import type { Edit, Scene } from './scene.ts';

const counting = 'i=0; while :; do i=$((i+1)); echo $i > /count; sleep 0.02; done';

/** Makes the container one that counts in its file /count. */
export const counter: Edit = (config) => {
  config.process.args = ['sh', '-c', counting];
};

/** How far a container has counted. */
export function count(scene: Scene): number {
  const file = join(scene.rootfs, 'count');
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
}

/** A runtime that saves containers to the scene's folder `images`, and makes them of it again. */
export class Saver {
  readonly #scene: Scene;
  readonly #runtime: 'tsrun' | 'runc';

  constructor(scene: Scene, runtime: 'tsrun' | 'runc' = 'tsrun') {
    this.#scene = scene;
    this.#runtime = runtime;
  }

  /** Any command of the runtime. */
  async call(args: readonly string[], { env, ...options }: RunOptions = {}): Promise<Result> {
    return await this.#scene[this.#runtime](args, { ...options, env: { ...criuEnv, ...env } });
  }

  /** Starts a container of the bundle after `edit`, with `flags` for create; returns its id. */
  async started(edit: Edit, ...flags: string[]): Promise<string> {
    const id = this.#scene.id();
    this.#scene.configure(edit);
    // runc does not save containers whose stdio is a file of the host.
    await this.#scene.createWith(this.#runtime, id, flags, { silent: true });
    const { status, stderr } = await this.call(['start', id]);
    if (status !== 0) throw new Error(`start: ${stderr}`);
    return id;
  }

  async checkpoint(id: string, ...flags: string[]): Promise<Result> {
    const images = this.#scene.path('images');
    // runc would make it without the right to search it, which criu needs from time to time in a user namespace.
    mkdirSync(images, { mode: 0o700, recursive: true });
    return await this.call(['checkpoint', '--image-path', images, ...flags, id]);
  }

  /** As engines call it, with the flag that has one dash too few. */
  async restore(id: string, flags: readonly string[] = [], options: RunOptions = {}): Promise<Result> {
    const scene = this.#scene;
    const where = ['--image-path', scene.path('images'), '--bundle', scene.bundle];
    const args = ['--detach', '-no-subreaper', ...where, '--pid-file', scene.path('restored.pid')];
    const result = await this.call(['restore', ...args, ...flags, id], options);
    if (result.status === 0) scene.owns(id, this.#runtime);
    return result;
  }

  /** The pid that the last restore has told. */
  restoredPid(): number {
    return Number(readFileSync(this.#scene.path('restored.pid'), 'utf8'));
  }

  async state(id: string): Promise<{ status: string; pid: number }> {
    return JSON.parse((await this.call(['state', id])).stdout) as { status: string; pid: number };
  }
}
