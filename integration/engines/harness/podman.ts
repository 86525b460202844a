import { existsSync, mkdirSync, readdirSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hierarchies } from '../../harness/cgroups.ts';
import { sharedFolder } from '../../harness/hooks.ts';
import { type Background, type Result, run, type RunOptions } from '../../harness/run.ts';
import { succeeded } from '../../harness/scene.ts';
import { UserProgram } from './user-program.ts';
import { sharedImage } from './image.ts';
import type { Bed, Stage } from './suite.ts';

/** podman with configuration and storage of its own. */
export class Podman implements Bed {
  readonly stage: Stage;
  readonly image: string;
  readonly #program: UserProgram;
  readonly #rootless: boolean;

  private constructor(stage: Stage, image: string, program: UserProgram, rootless: boolean) {
    this.stage = stage;
    this.image = image;
    this.#program = program;
    this.#rootless = rootless;
  }

  /** podman used by root. */
  static async open(stage: Stage): Promise<Podman> {
    // Makes /run/netns a mount, which podman would do with the first network.
    succeeded(await run('ip', ['netns', 'add', stage.name]));
    succeeded(await run('ip', ['netns', 'delete', stage.name]));
    return await Podman.#open(stage, false);
  }

  /** podman used by a user without privileges. */
  static async openRootless(stage: Stage): Promise<Podman> {
    return await Podman.#open(stage, true);
  }

  static async #open(stage: Stage, rootless: boolean): Promise<Podman> {
    const { archive, reference } = sharedImage(sharedFolder());
    const program = await UserProgram.open('podman', stage, rootless, reference);
    const podman = new Podman(stage, reference, program, rootless);
    succeeded(await podman.podman(['load', '--quiet', '--input', archive]));
    // conmon's cgroup comes with the first container, and stays.
    succeeded(await podman.run(`${stage.name}-first`, ['true'], '--rm'));
    return podman;
  }

  /** `podman <args>`, whatever comes of it. */
  async podman(args: readonly string[], options: RunOptions = {}): Promise<Result> {
    return await this.#program.run(args, options);
  }

  /** `podman run <flags> --name ID IMAGE <command>`. */
  async run(id: string, command: readonly string[], ...flags: string[]): Promise<Result> {
    return await this.podman(this.runArgs(id, command, ...flags));
  }

  /** The same for whoever starts podman in another way. */
  runArgs(id: string, command: readonly string[], ...flags: string[]): string[] {
    return ['run', ...this.containerArgs(id, command, ...flags)];
  }

  /** What follows `podman run` or `podman create`. */
  containerArgs(id: string, command: readonly string[], ...flags: string[]): string[] {
    return [...this.parent(), ...flags, '--name', id, this.image, ...command];
  }

  /** The flags for where containers go. */
  parent(): string[] {
    return this.#program.parent();
  }

  /** Starts a container that stays until it is killed. */
  async started(id: string, ...flags: string[]): Promise<void> {
    succeeded(await this.run(id, ['sleep', '1000'], '--detach', ...flags));
  }

  /** `podman exec <flags> ID <command>`. */
  async exec(id: string, command: readonly string[], ...flags: string[]): Promise<Result> {
    return await this.podman(['exec', ...flags, id, ...command]);
  }

  /** Waits until a command in the container succeeds. */
  async untilExec(id: string, command: readonly string[]): Promise<void> {
    const end = performance.now() + 10_000;
    while ((await this.exec(id, command)).status !== 0) {
      if (performance.now() > end) throw new Error(`${command.join(' ')} fails and fails`);
    }
  }

  /** podman, talking to us. */
  background(args: readonly string[]): Background {
    return this.#program.background(args);
  }

  /** podman on a terminal and talking to us. */
  onTerminal(args: readonly string[]): Background {
    return this.#program.onTerminal(args);
  }

  /** One field of `podman inspect`, a Go template. */
  async inspect(id: string, template: string): Promise<string> {
    const { stdout } = succeeded(await this.podman(['inspect', '--format', template, id]));
    return stdout.trimEnd();
  }

  /** Process id of a container. */
  async pid(id: string): Promise<number> {
    return Number(await this.inspect(id, '{{.State.Pid}}'));
  }

  /**
   * The containers the runtime knows. podman gives it no --root, so it keeps its state where it does by
   * default.
   */
  states(): string[] {
    const { runtime, env } = this.stage;
    const root = join(env['XDG_RUNTIME_DIR'] ?? '/run', runtime.name);
    return existsSync(root) ? readdirSync(root).filter((name) => !name.startsWith('@')) : [];
  }

  /** Asks the runtime itself: after a crash podman may think that it never had a container. */
  async deleteForgotten(): Promise<void> {
    const { path } = this.stage.runtime;
    for (const id of this.states()) succeeded(await run(path, ['delete', '--force', id]));
  }

  async reset(): Promise<void> {
    for (const args of [
      ['pod', 'rm', '--all', '--force', '--time', '0'],
      ['rm', '--all', '--force', '--time', '0'],
      ['volume', 'prune', '--force'],
      ['network', 'prune', '--force'],
    ]) {
      // podman cleans up after a container beside its commands, and a removal may collide with that.
      if ((await this.podman(args)).status !== 0) succeeded(await this.podman(args));
    }
    removePodCgroups(this.stage);
    const states = this.states();
    await this.deleteForgotten();
    if (states.length > 0) throw new Error(`podman left states of the runtime: ${states.join(' ')}`);
  }

  async close(): Promise<void> {
    succeeded(await this.podman(['system', 'reset', '--force']));
    // Ends the process that keeps a plain user's namespaces.
    succeeded(await this.podman(['system', 'migrate']));
    if (!this.#rootless) succeeded(await run('umount', ['/run/netns']));
    await this.#program.close();
    for (const name of readdirSync('/dev/shm')) {
      if (/^libpod(_rootless)?_lock/.test(name)) rmSync(join('/dev/shm', name));
    }
    for (const hierarchy of hierarchies()) {
      const conmon = join(hierarchy, this.stage.name, 'conmon');
      if (existsSync(conmon)) rmdirSync(conmon);
    }
  }
}

/** podman removes the cgroup of a pod in the hierarchies it knows: neither in cgroup2 nor in systemd's. */
function removePodCgroups({ name }: Stage): void {
  for (const hierarchy of ['systemd', 'unified'].map((last) => join('/sys/fs/cgroup', last, name))) {
    if (!existsSync(hierarchy)) continue;
    for (const entry of readdirSync(hierarchy)) {
      if (/^[0-9a-f]{64}$/.test(entry)) rmdirSync(join(hierarchy, entry));
    }
  }
}

/**
 * A shell script as a hook for podman, in a folder of its own: when it runs, and what. Of hooks with the same
 * name in several folders podman takes the last one only.
 */
export function writeHook(stage: Stage, name: string, stages: readonly string[], script: string): string {
  const folder = join(stage.folder, `hooks-${name}`);
  mkdirSync(folder);
  const path = join(folder, 'hook.sh');
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const hook = { version: '1.0.0', hook: { path }, when: { always: true }, stages };
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(hook));
  return folder;
}
