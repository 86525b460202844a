import { sharedFolder } from '../../harness/hooks.ts';
import { background, type Background, type Result, run, type RunOptions } from '../../harness/run.ts';
import {
  asPlainUser,
  login,
  logout,
  mountAccounts,
  mountTun,
  unmountAccounts,
  unmountTun,
} from './accounts.ts';
import { ptyrun, writePodmanConfig } from './podman-config.ts';
import type { Stage } from './suite.ts';

/** A program of podman's family, configured for one stage and used by root or by a user without privileges. */
export class UserProgram {
  readonly #program: string;
  readonly #stage: Stage;
  readonly #rootless: boolean;

  private constructor(program: string, stage: Stage, rootless: boolean) {
    this.#program = program;
    this.#stage = stage;
    this.#rootless = rootless;
  }

  /** With its configuration in the environment of the stage; `image` is where that takes its own from. */
  static async open(program: string, stage: Stage, rootless: boolean, image: string): Promise<UserProgram> {
    await mountAccounts();
    if (rootless) await mountTun();
    Object.assign(stage.env, writePodmanConfig(stage, image), rootless ? login(stage.folder) : {});
    return new UserProgram(program, stage, rootless);
  }

  async close(): Promise<void> {
    if (this.#rootless) {
      logout();
      await unmountTun();
    }
    await unmountAccounts();
  }

  /** Whatever comes of it. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<Result> {
    const [program, ...before] = this.#command();
    return await run(program, [...before, ...args], this.#options(options));
  }

  /** Talking to us. */
  background(args: readonly string[]): Background {
    const [program, ...before] = this.#command();
    return background(program, [...before, ...args], this.#options({}));
  }

  /** On a terminal and talking to us. */
  onTerminal(args: readonly string[]): Background {
    return background(ptyrun(sharedFolder()), [...this.#command(), ...args], this.#options({}));
  }

  /** All containers are below the cgroup of the stage; on cgroup v1 a plain user has no cgroups. */
  parent(): string[] {
    return this.#rootless ? [] : ['--cgroup-parent', `/${this.#stage.name}`];
  }

  #command(): [string, ...string[]] {
    return this.#rootless ? [...asPlainUser, this.#program] : [this.#program];
  }

  #options(options: RunOptions): RunOptions {
    return { cwd: this.#stage.folder, ...options, env: { ...this.#stage.env, ...options.env } };
  }
}
