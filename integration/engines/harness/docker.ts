import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { criuEnv } from '../../harness/criu.ts';
import { sharedFolder } from '../../harness/hooks.ts';
import { descendants, reapOrphans } from '../../harness/processes.ts';
import { compileProgram } from '../../harness/programs.ts';
import { background, type Background, type Result, run, type RunOptions } from '../../harness/run.ts';
import { succeeded } from '../../harness/scene.ts';
import { until } from '../../harness/until.ts';
import { Daemon } from './daemon.ts';
import { sharedImage } from './image.ts';
import type { Bed, Stage } from './suite.ts';

// Not what is first in PATH: the client and the daemon of one package.
const client = '/usr/bin/docker';
const server = '/usr/sbin/dockerd';

/** A dockerd of its own with a containerd of its own, and the client of the same version. */
export class Docker implements Bed {
  readonly stage: Stage;
  readonly image: string;
  readonly #pty: string;
  readonly #followers: Background[] = [];
  readonly #mounts: string[] = [];
  #daemon: Daemon;
  #dataRoot = '';

  private constructor(stage: Stage, image: string, daemon: Daemon) {
    this.stage = stage;
    this.image = image;
    this.#daemon = daemon;
    this.#pty = compileProgram('ptyrun', join(sharedFolder(), 'programs'));
  }

  /** Starts it; `more` is added to daemon.json. */
  static async open(stage: Stage, more: Record<string, unknown> = {}): Promise<Docker> {
    mkdirSync(join(stage.folder, 'client'));
    // BuildKit takes the first runc in the daemon's PATH.
    mkdirSync(join(stage.folder, 'bin'));
    symlinkSync(stage.runtime.path, join(stage.folder, 'bin', 'runc'));
    writeFileSync(
      join(stage.folder, 'daemon.json'),
      JSON.stringify({ ...configuration(stage), ...more }, null, 2),
    );
    const { archive, reference } = sharedImage(sharedFolder());
    const docker = new Docker(stage, reference.replace('docker.io/library/', ''), await startDockerd(stage));
    await docker.ok('load', '--input', archive);
    // The daemon pins the host's network namespace at its first use, and keeps it.
    await docker.shell('true', '--network', 'host', '--userns', 'host');
    docker.#dataRoot = await docker.ok('info', '--format', '{{.DockerRootDir}}');
    return docker;
  }

  get daemon(): Daemon {
    return this.#daemon;
  }

  /** dockerd, its containerd, and what they run. */
  daemons(): number[] {
    const { pid } = this.#daemon;
    return [pid, ...descendants(pid).map((info) => info.pid)];
  }

  /** `docker <args>`, whatever comes of it. */
  async docker(args: readonly string[], options: RunOptions = {}): Promise<Result> {
    return await run(client, [...this.#host(), ...args], {
      cwd: this.stage.folder,
      ...options,
      env: { ...this.#env(), ...options.env },
    });
  }

  /** `docker <args>` that has to succeed; returns what it printed, without the last line's end. */
  async ok(...args: readonly string[]): Promise<string> {
    return succeeded(await this.docker(args)).stdout.trimEnd();
  }

  /** `docker run --rm <flags> IMAGE sh -c <script>` that has to succeed; returns what it printed. */
  async shell(script: string, ...flags: readonly string[]): Promise<string> {
    return await this.ok('run', '--rm', ...flags, this.image, 'sh', '-c', script);
  }

  /** Starts a container that waits; returns its full id. */
  async start(name: string, ...flags: readonly string[]): Promise<string> {
    return await this.ok('run', '--detach', '--name', name, ...flags, this.image, 'sleep', '1000');
  }

  /** `docker exec <name> sh -c <script>` that has to succeed; returns what it printed. */
  async inside(name: string, script: string): Promise<string> {
    return await this.ok('exec', name, 'sh', '-c', script);
  }

  /** A field of `docker inspect`, as a template: `State.ExitCode`. */
  async field(name: string, field: string): Promise<string> {
    return await this.ok('inspect', '--format', `{{.${field}}}`, name);
  }

  /** Asks until a field of `docker inspect` has a value. */
  async untilField(name: string, field: string, value: string): Promise<void> {
    let seen = '';
    for (let tries = 0; tries < 300; tries++) {
      seen = await this.field(name, field);
      if (seen === value) return;
    }
    throw new Error(`${field} of ${name} never was ${value}, but ${seen}`);
  }

  /** `docker <args>` on a terminal, talking to us. */
  onTerminal(...args: readonly string[]): Background {
    return background(this.#pty, [client, ...this.#host(), ...args], {
      cwd: this.stage.folder,
      env: this.#env(),
    });
  }

  /** `docker <args>` that goes on while the test does; ended with it. */
  follow(...args: readonly string[]): Background {
    const program = background(client, [...this.#host(), ...args], {
      cwd: this.stage.folder,
      env: this.#env(),
    });
    this.#followers.push(program);
    return program;
  }

  /** Makes a folder a shared mount, ended with the test: the source of what is propagated. */
  sharedMount(folder: string): string {
    if (!this.#mounts.includes(folder)) {
      execFileSync('mount', ['--bind', folder, folder]);
      this.#mounts.push(folder);
      execFileSync('mount', ['--make-shared', folder]);
    }
    return folder;
  }

  /** Starts the daemon again after its end, `daemon.stop()` or `daemon.kill()`. */
  async restart(): Promise<void> {
    // The containerd of a killed dockerd is killed with it, but counts as running until it is waited for.
    await until('containerd to be gone', () => {
      reapOrphans();
      return descendants().every(({ name }) => name !== 'containerd');
    });
    this.#daemon = await startDockerd(this.stage);
  }

  async reset(): Promise<void> {
    for (const { child, ended } of this.#followers.splice(0)) {
      child.kill('SIGKILL');
      await ended;
    }
    if (!this.#daemon.isRunning()) await this.restart();
    const containers = (await this.ok('ps', '--all', '--quiet')).split('\n').filter((id) => id !== '');
    if (containers.length > 0) await this.ok('rm', '--force', '--volumes', ...containers);
    await this.ok('network', 'prune', '--force');
    await this.ok('volume', 'prune', '--force');
    for (const folder of this.#mounts.splice(0)) execFileSync('umount', [folder]);
  }

  async close(): Promise<void> {
    await this.#daemon.stop();
    // It leaves these for its next start.
    for (const path of [this.#dataRoot, join(this.stage.folder, 'exec/netns/default')])
      spawnSync('umount', ['--quiet', path]);
    execFileSync('ip', ['link', 'delete', 'docker0']);
  }

  #host(): string[] {
    return ['--host', `unix://${join(this.stage.folder, 'sock')}`];
  }

  #env(): Record<string, string> {
    return { ...this.stage.env, DOCKER_CONFIG: join(this.stage.folder, 'client'), DOCKER_BUILDKIT: '0' };
  }
}

async function startDockerd(stage: Stage): Promise<Daemon> {
  const socket = join(stage.folder, 'sock');
  // A killed daemon leaves it.
  rmSync(socket, { force: true });
  return await Daemon.start(server, ['--config-file', join(stage.folder, 'daemon.json')], {
    socket,
    log: join(stage.folder, 'dockerd.log'),
    env: { ...stage.env, PATH: `${join(stage.folder, 'bin')}:${criuEnv['PATH'] ?? ''}:/usr/sbin:/usr/bin` },
  });
}

const configuration = ({ name, folder, runtime }: Stage): Record<string, unknown> => ({
  'data-root': join(folder, 'root'),
  'exec-root': join(folder, 'exec'),
  pidfile: join(folder, 'dockerd.pid'),
  hosts: [`unix://${join(folder, 'sock')}`],
  'default-runtime': 'under-test',
  runtimes: { 'under-test': { path: runtime.path } },
  'exec-opts': ['native.cgroupdriver=cgroupfs'],
  'cgroup-parent': `/${name}`,
  'storage-driver': 'overlay2',
  'init-path': '/usr/bin/docker-init',
  experimental: true,
});
