import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sharedFolder } from '../../harness/hooks.ts';
import { run, background } from '../../harness/run.ts';
import type { Background, Result, RunOptions } from '../../harness/run.ts';
import { succeeded } from '../../harness/scene.ts';
import { Daemon } from './daemon.ts';
import { sharedImage } from './image.ts';
import type { Bed, Stage } from './suite.ts';

/** A containerd of its own, with its client ctr. */
export class Ctr implements Bed {
  readonly stage: Stage;
  readonly image: string;
  #daemon: Daemon;

  private constructor(stage: Stage, image: string, daemon: Daemon) {
    this.stage = stage;
    this.image = image;
    this.#daemon = daemon;
  }

  static async open(stage: Stage): Promise<Ctr> {
    writeFileSync(join(stage.folder, 'config.toml'), configuration(stage));
    // ctr forgets --runc-binary beside some other flags; containerd then takes the first runc in its PATH.
    mkdirSync(join(stage.folder, 'bin'));
    symlinkSync(stage.runtime.path, join(stage.folder, 'bin', 'runc'));
    const { archive, reference } = sharedImage(sharedFolder());
    const ctr = new Ctr(stage, reference, await startContainerd(stage));
    succeeded(await ctr.ctr(['image', 'import', archive]));
    return ctr;
  }

  get daemon(): Daemon {
    return this.#daemon;
  }

  /** `ctr <args>`, whatever comes of it. */
  async ctr(args: readonly string[], options: RunOptions = {}): Promise<Result> {
    return await run('ctr', [...this.#client(), ...args], { cwd: this.stage.folder, ...options });
  }

  /** `ctr run <flags> IMAGE <id> <command>` with the runtime under test. */
  async run(id: string, command: readonly string[], ...flags: string[]): Promise<Result> {
    return await this.ctr(['run', ...this.#runtime(), ...flags, this.image, id, ...command]);
  }

  /** The same on a terminal and talking to us: `with` is the program that makes the terminal. */
  onTerminal(pty: string, args: readonly string[]): Background {
    return background(pty, ['ctr', ...this.#client(), ...args], { cwd: this.stage.folder });
  }

  runArgs(id: string, command: readonly string[], ...flags: string[]): string[] {
    return ['run', ...this.#runtime(), ...flags, this.image, id, ...command];
  }

  /** Starts the daemon again after its end, `daemon.stop()` or `daemon.kill()`. */
  async restart(): Promise<void> {
    this.#daemon = await startContainerd(this.stage);
  }

  async reset(): Promise<void> {
    if (!this.#daemon.isRunning()) await this.restart();
    const { stdout } = succeeded(await this.ctr(['container', 'ls', '--quiet']));
    for (const id of stdout.split('\n').filter((line) => line !== '')) {
      await this.ctr(['task', 'rm', '--force', id]);
      await this.ctr(['container', 'rm', id]);
    }
    const snapshots = (await this.ctr(['snapshot', 'ls'])).stdout.split('\n').slice(1);
    for (const line of snapshots) {
      const [key = '', , kind] = line.split(/ +/);
      if (kind === 'Active') await this.ctr(['snapshot', 'rm', key]);
    }
  }

  async close(): Promise<void> {
    await this.#daemon.stop();
  }

  #client(): string[] {
    return ['--address', join(this.stage.folder, 'sock'), '--namespace', this.stage.name];
  }

  #runtime(): string[] {
    return ['--runc-binary', this.stage.runtime.path, '--runc-root', join(this.stage.folder, 'runtime')];
  }
}

async function startContainerd(stage: Stage): Promise<Daemon> {
  return await Daemon.start('containerd', ['--config', join(stage.folder, 'config.toml')], {
    socket: join(stage.folder, 'sock'),
    log: join(stage.folder, 'containerd.log'),
    env: { ...stage.env, PATH: `${join(stage.folder, 'bin')}:/usr/sbin:/usr/bin:/sbin:/bin` },
  });
}

const configuration = ({ folder }: Stage): string => `version = 2
root = "${folder}/root"
state = "${folder}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "${folder}/sock"
`;
