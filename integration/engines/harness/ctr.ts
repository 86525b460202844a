import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sharedFolder } from '../../harness/hooks.ts';
import {
  background,
  type Background,
  printed,
  type Result,
  run,
  type RunOptions,
} from '../../harness/run.ts';
import { sharedProgram } from '../../harness/shared-program.ts';
import { succeeded } from '../../harness/scene.ts';
import { baseConfig, type TestConfig } from '../../harness/config.ts';
import { removeCgroups } from '../../harness/cgroups.ts';
import { commandLine, descendants, processInfo } from '../../harness/processes.ts';
import { criuEnv } from '../../harness/criu.ts';
import { makeRootfs } from '../../harness/rootfs.ts';
import { Daemon } from './daemon.ts';
import { type Message, Service } from './grpc.ts';
import { sharedImage } from './image.ts';
import type { Bed, Stage } from './suite.ts';

/** A containerd of its own, with its client ctr. */
export class Ctr implements Bed {
  readonly stage: Stage;
  readonly image: string;
  #daemon: Daemon;
  #execs = 0;

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
    mkdirSync('/etc/cni/net.d', { recursive: true });
    writeFileSync('/etc/cni/net.d/10-bridge.conflist', JSON.stringify(network));
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

  /** The same in the background. */
  async detached(id: string, command: readonly string[], ...flags: string[]): Promise<void> {
    succeeded(await this.run(id, command, '--detach', ...flags));
  }

  /**
   * Runs a script to its end in a container of its own and returns what it printed. The container ends when that is
   * here: of one that ends before ctr has opened its output, as happens on a busy machine, ctr shows nothing.
   */
  async shell(id: string, script: string, ...flags: string[]): Promise<string> {
    const end = 'end of the script\n';
    const command = ['sh', '-c', `(${script}); status=$?; printf '${end}'; read _; exit $status`];
    const args = [...this.#client(), ...this.runArgs(id, command, '--rm', ...flags)];
    const container = background('ctr', args, { cwd: this.stage.folder });
    await Promise.race([printed(container, end), container.ended]);
    container.child.stdin?.end('\n');
    const ended = await container.ended;
    const [stdout, stderr] = [container.stdout(), container.stderr()];
    const result = { ...ended, command: ['ctr', ...args].join(' '), stdout, stderr };
    return succeeded(result).stdout.slice(0, -end.length);
  }

  /** `ctr run --config`: a container with a config of our own; its rootfs is one, too. */
  async runConfig(id: string, config: TestConfig, ...flags: string[]): Promise<Result> {
    const file = join(this.stage.folder, `${id}.json`);
    config.linux.cgroupsPath = `/${this.stage.name}/${id}`;
    writeFileSync(file, JSON.stringify(config));
    return await this.ctr(['run', ...this.#runtime(), ...flags, '--config', file, id]);
  }

  /** `ctr task exec <flags> <id> <command>`. */
  async exec(id: string, command: readonly string[], ...flags: string[]): Promise<Result> {
    return await this.ctr(['task', 'exec', '--exec-id', `e${this.#execs++}`, ...flags, id, ...command]);
  }

  /** Runs ctr on a terminal that we talk to. */
  onTerminal(args: readonly string[]): Background {
    return background(sharedProgram('ptyrun'), ['ctr', ...this.#client(), ...args], {
      cwd: this.stage.folder,
    });
  }

  /** Arguments of `ctr run` for onTerminal. */
  runArgs(id: string, command: readonly string[], ...flags: string[]): string[] {
    return ['run', ...this.#runtime(), ...flags, this.image, id, ...command];
  }

  /** A config as base for runConfig, with a root filesystem of its own. */
  config(id: string, args: readonly string[]): TestConfig {
    const rootfs = join(this.stage.folder, `${id}-rootfs`);
    makeRootfs(rootfs, sharedFolder());
    const config = baseConfig();
    config.root.path = rootfs;
    config.process.args = [...args];
    return config;
  }

  /** `ctr events` while it runs. */
  events(): Background {
    return background('ctr', [...this.#client(), 'events'], { cwd: this.stage.folder });
  }

  /** RUNNING, PAUSED, STOPPED; undefined when there is no such task. */
  async status(id: string): Promise<string | undefined> {
    const { stdout } = succeeded(await this.ctr(['task', 'ls']));
    return new RegExp(`^${id} +\\d+ +(\\w+)`, 'm').exec(stdout)?.[1];
  }

  /** Waits until the task has ended, and takes it away: its exit status. */
  async exitStatus(id: string): Promise<unknown> {
    const { exit_status: status } = await this.#tasks('Wait', { container_id: id });
    succeeded(await this.ctr(['task', 'rm', id]));
    return status;
  }

  /** The pid of the task's first process. */
  async pid(id: string): Promise<number> {
    const { stdout } = succeeded(await this.ctr(['task', 'ls']));
    return Number(new RegExp(`^${id} +(\\d+)`, 'm').exec(stdout)?.[1]);
  }

  /** Changes limits through containerd's API; ctr has no command for it. */
  async update(id: string, resources: object): Promise<void> {
    const type_url = 'types.containerd.io/opencontainers/runtime-spec/1/LinuxResources';
    const value = Buffer.from(JSON.stringify(resources));
    await this.#tasks('Update', { container_id: id, resources: { type_url, value } });
  }

  /** Kills the shim of a container, as the OOM killer does. */
  async killShim(id: string): Promise<void> {
    const shim = processInfo(await this.pid(id))?.parent;
    if (shim === undefined || shim <= 1) throw new Error(`${id} has no shim`);
    process.kill(shim, 'SIGKILL');
  }

  /**
   * Takes away what containerd itself has lost of a container when it was killed, as its administrator would:
   * the shim, the mount of the root, and with the runtime's own command what that has made so far.
   */
  async forget(id: string): Promise<void> {
    const { folder, name, runtime } = this.stage;
    for (const { pid } of descendants()) {
      if (commandLine(pid).join(' ').includes(`-id ${id}`)) process.kill(pid, 'SIGKILL');
    }
    const root = ['--root', join(folder, 'runtime', name)];
    succeeded(await run(runtime.path, [...root, 'delete', '--force', id]));
    await run('umount', ['-l', join(folder, 'state/io.containerd.runtime.v2.task', name, id, 'rootfs')]);
    // Of a container that it had begun to make, runc leaves some cgroups.
    if (runtime.name === 'runc') removeCgroups(id);
  }

  /** Starts the daemon again after its end, `daemon.stop()` or `daemon.kill()`. */
  async restart(): Promise<void> {
    this.#daemon = await startContainerd(this.stage);
  }

  daemons(): number[] {
    return [this.#daemon.pid];
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
    // The bridge of CNI stays on purpose, and so do the addresses of containers ctr was not waiting for.
    await run('ip', ['link', 'delete', bridge]);
    rmSync('/var/lib/cni/networks', { recursive: true, force: true });
  }

  async close(): Promise<void> {
    await this.#daemon.stop();
  }

  async #tasks(method: string, request: Message): Promise<Message> {
    const metadata = { 'containerd-namespace': this.stage.name };
    const name = 'containerd.services.tasks.v1.Tasks';
    const tasks = new Service(join(this.stage.folder, 'sock'), 'tasks.proto', name, metadata);
    return await tasks.call(method, request).finally(() => {
      tasks.close();
    });
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
    env: { ...stage.env, PATH: `${join(stage.folder, 'bin')}:${criuEnv['PATH'] ?? ''}` },
  });
}

const configuration = ({ folder }: Stage): string => `version = 2
root = "${folder}/root"
state = "${folder}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[plugins."io.containerd.internal.v1.opt"]
  path = "${folder}/opt"
[grpc]
  address = "${folder}/sock"
`;

const bridge = 'tsrunctr0';

const network = {
  cniVersion: '0.4.0',
  name: 'tsrun-ctr',
  plugins: [
    {
      type: 'bridge',
      bridge,
      isGateway: true,
      ipam: { type: 'host-local', subnet: '10.91.0.0/24', routes: [{ dst: '0.0.0.0/0' }] },
    },
  ],
};
