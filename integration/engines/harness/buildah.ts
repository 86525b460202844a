import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sharedFolder } from '../../harness/hooks.ts';
import type { Background, Result, RunOptions } from '../../harness/run.ts';
import { succeeded } from '../../harness/scene.ts';
import { UserProgram } from './user-program.ts';
import { sharedImage } from './image.ts';
import type { Bed, Stage } from './suite.ts';

/** buildah with configuration and storage of its own. */
export class Buildah implements Bed {
  readonly stage: Stage;
  readonly image: string;
  readonly #program: UserProgram;

  private constructor(stage: Stage, image: string, program: UserProgram) {
    this.stage = stage;
    this.image = image;
    this.#program = program;
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
    const { archive, reference } = sharedImage(sharedFolder());
    const program = await UserProgram.open('buildah', stage, rootless, reference);
    const buildah = new Buildah(stage, reference, program);
    succeeded(await buildah.buildah(['pull', '--quiet', `docker-archive:${archive}`]));
    return buildah;
  }

  /** `buildah <args>`, whatever comes of it. */
  async buildah(args: readonly string[], options: RunOptions = {}): Promise<Result> {
    return await this.#program.run(args, options);
  }

  /** buildah on a terminal and talking to us. */
  onTerminal(args: readonly string[]): Background {
    return this.#program.onTerminal(args);
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
    await this.#program.close();
    rmSync(join(this.stage.folder, 'graph'), { recursive: true, force: true });
  }

  /** The flags for where containers go. */
  parent(): string[] {
    return this.#program.parent();
  }
}
