import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sharedFolder } from '../../harness/hooks.ts';
import { background, run } from '../../harness/run.ts';
import type { Background, Result, RunOptions } from '../../harness/run.ts';
import { succeeded } from '../../harness/scene.ts';
import {
  asPlainUser,
  login,
  logout,
  mountAccounts,
  mountTun,
  unmountAccounts,
  unmountTun,
} from './accounts.ts';
import { sharedImage } from './image.ts';
import { ptyrun, writePodmanConfig } from './podman-config.ts';
import type { Bed, Stage } from './suite.ts';

/** buildah with configuration and storage of its own. */
export class Buildah implements Bed {
  readonly stage: Stage;
  readonly image: string;
  readonly #rootless: boolean;

  private constructor(stage: Stage, image: string, rootless: boolean) {
    this.stage = stage;
    this.image = image;
    this.#rootless = rootless;
  }

  /** buildah used by root. */
  static async open(stage: Stage): Promise<Buildah> {
    return await Buildah.#open(stage, false);
  }

  /** buildah used by a user without privileges. */
  static async openRootless(stage: Stage): Promise<Buildah> {
    return await Buildah.#open(stage, true);
  }

  static async #open(stage: Stage, rootless: boolean): Promise<Buildah> {
    await mountAccounts();
    if (rootless) await mountTun();
    const { archive, reference } = sharedImage(sharedFolder());
    const buildah = new Buildah(stage, reference, rootless);
    Object.assign(stage.env, writePodmanConfig(stage, reference), rootless ? login(stage.folder) : {});
    succeeded(await buildah.buildah(['pull', '--quiet', `docker-archive:${archive}`]));
    return buildah;
  }

  /** `buildah <args>`, whatever comes of it. */
  async buildah(args: readonly string[], options: RunOptions = {}): Promise<Result> {
    const [program, ...before] = this.#command();
    return await run(program, [...before, ...args], this.#options(options));
  }

  /** buildah on a terminal and talking to us. */
  onTerminal(args: readonly string[]): Background {
    return background(ptyrun(sharedFolder()), [...this.#command(), ...args], this.#options({}));
  }

  /** `buildah build <flags>` of a Containerfile of these lines, for an image of that name. */
  async build(name: string, lines: readonly string[], ...flags: string[]): Promise<Result> {
    const context = join(this.stage.folder, `${name}-context`);
    mkdirSync(context);
    writeFileSync(join(context, 'Containerfile'), [`FROM ${this.image}`, ...lines, ''].join('\n'));
    return await this.buildah(['build', ...this.parent(), ...flags, '--tag', name, context]);
  }

  /** A working container. */
  async from(image: string, ...flags: string[]): Promise<string> {
    return succeeded(await this.buildah(['from', ...this.parent(), ...flags, image])).stdout.trim();
  }

  async reset(): Promise<void> {
    succeeded(await this.buildah(['rm', '--all']));
  }

  async close(): Promise<void> {
    succeeded(await this.buildah(['rmi', '--all', '--force']));
    if (this.#rootless) logout();
    if (this.#rootless) await unmountTun();
    await unmountAccounts();
    rmSync(join(this.stage.folder, 'graph'), { recursive: true, force: true });
  }

  /** All containers are below the cgroup of the stage; on cgroup v1 a plain user has no cgroups. */
  parent(): string[] {
    return this.#rootless ? [] : ['--cgroup-parent', `/${this.stage.name}`];
  }

  #command(): [string, ...string[]] {
    return this.#rootless ? [...asPlainUser, 'buildah'] : ['buildah'];
  }

  #options(options: RunOptions): RunOptions {
    return { cwd: this.stage.folder, ...options, env: { ...this.stage.env, ...options.env } };
  }
}
