import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AssertionError } from 'chai';
import type { State, Status } from '../../lib/config/types.ts';
import { baseConfig, type TestConfig } from './config.ts';
import { reap } from './native.ts';
import { processInfo, reapOrphans } from './processes.ts';
import { tsrun } from './programs.ts';
import { makeRootfs } from './rootfs.ts';
import { background, type Background, type Result, run, type RunOptions } from './run.ts';
import { until } from './until.ts';

/**
 * In every name the tests make: containers, cgroups, folders. Two runs in process namespaces of their own have
 * the same pids but share the cgroups, so the number is given to them.
 */
export const namePart = `tsit${process.env['TSRUN_TEST_RUN'] ?? process.pid}x`;

export type Edit = (config: TestConfig) => void;

let scenes = 0;

/**
 * The stage of one test: a folder of its own with a bundle, a state root and a temporary folder. Containers
 * created through it are deleted after the test; anything else that is left makes the test fail (hooks.ts).
 */
export class Scene {
  readonly name = `${namePart}${scenes++}`;
  readonly folder: string;
  readonly bundle: string;
  readonly rootfs: string;
  /** The state folder given to tsrun with --root. */
  readonly root: string;
  readonly runcRoot: string;
  readonly #containers = new Map<string, 'tsrun' | 'runc'>();
  readonly #running: Background[] = [];
  readonly #orphans: number[] = [];
  #ids = 0;

  constructor(workFolder: string) {
    this.folder = join(workFolder, this.name);
    this.bundle = join(this.folder, 'bundle');
    this.rootfs = join(this.bundle, 'rootfs');
    this.root = join(this.folder, 'state');
    this.runcRoot = join(this.folder, 'runc-state');
    mkdirSync(this.rootfs, { recursive: true });
    chmodSync(this.folder, 0o755);
    makeRootfs(this.rootfs, workFolder);
  }

  /** A container id nobody else uses. */
  id(): string {
    return `${this.name}-${this.#ids++}`;
  }

  /** Writes config.json: the base config with the test's change. Returns it. */
  configure(edit?: Edit): TestConfig {
    const config = baseConfig();
    edit?.(config);
    this.writeConfig(config);
    return config;
  }

  /** Writes config.json as it is, also when it is not a config at all. */
  writeConfig(config: unknown): void {
    const text = typeof config === 'string' ? config : JSON.stringify(config, null, 2);
    writeFileSync(join(this.bundle, 'config.json'), text);
  }

  /** A path in the scene's folder. */
  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  /** Runs `tsrun --root <state> <args>`, whatever comes of it. */
  async tsrun(args: readonly string[], options: RunOptions = {}): Promise<Result> {
    return await run(tsrun, ['--root', this.root, ...args], { cwd: this.folder, ...options });
  }

  /** The same as a service manager starts it that hands down sockets: LISTEN_PID is the pid of tsrun. */
  async activated(args: readonly string[], options: RunOptions = {}): Promise<Result> {
    const script = 'LISTEN_PID=$$ exec "$0" "$@"';
    const command = ['-c', script, tsrun, '--root', this.root, ...args];
    return await run('sh', command, { cwd: this.folder, ...options });
  }

  /** The same with runc, for comparison. */
  async runc(args: readonly string[], options: RunOptions = {}): Promise<Result> {
    return await run('runc', ['--root', this.runcRoot, ...args], { cwd: this.folder, ...options });
  }

  /** Starts tsrun and leaves it running; it is killed after the test. */
  background(args: readonly string[], options: RunOptions = {}): Background {
    return this.keep(background(tsrun, ['--root', this.root, ...args], { cwd: this.folder, ...options }));
  }

  /** Has a program ended after the test. */
  keep(program: Background): Background {
    this.#running.push(program);
    return program;
  }

  /**
   * Has a detached process ended and waited for after the test. A pid namespace ends only when somebody has
   * waited for each of its processes, and for one that entered it that is up to us.
   */
  adopt(pid: number): number {
    this.#orphans.push(pid);
    return pid;
  }

  /** Creates a container from the bundle and returns its pid; `flags` go to `create`. */
  async create(id: string, flags: readonly string[] = [], options: RunOptions = {}): Promise<number> {
    return await this.createWith('tsrun', id, flags, options);
  }

  async createWith(
    runtime: 'tsrun' | 'runc',
    id: string,
    flags: readonly string[] = [],
    options: RunOptions = {},
  ): Promise<number> {
    const pidFile = this.path(`${id}.pid`);
    const args = ['create', '--bundle', this.bundle, '--pid-file', pidFile, ...flags, id];
    succeeded(await this[runtime](args, options));
    this.#containers.set(id, runtime);
    return Number(readFileSync(pidFile, 'utf8'));
  }

  /** Has a container deleted after the test which was made without `create` above. */
  owns(id: string, runtime: 'tsrun' | 'runc' = 'tsrun'): void {
    this.#containers.set(id, runtime);
  }

  /** Runs the bundle in the foreground to its end: `run <flags> <new id>`. */
  async run(flags: readonly string[] = [], options: RunOptions = {}): Promise<Result> {
    return await this.tsrun(['run', '--bundle', this.bundle, ...flags, this.id()], options);
  }

  /** Runs a shell script in a container made from the base config with `edit`; returns what it printed. */
  async shell(script: string, edit?: Edit, options: RunOptions = {}): Promise<string> {
    this.configure((config) => {
      config.process.args = ['sh', '-c', script];
      edit?.(config);
    });
    return succeeded(await this.run([], options)).stdout;
  }

  /** Runs the bundle after `edit` and returns how it failed; not to fail is an error. */
  async failure(edit?: Edit, flags: readonly string[] = []): Promise<Result> {
    this.configure(edit);
    return failed(await this.run(flags));
  }

  async state(id: string): Promise<State> {
    return JSON.parse(succeeded(await this.tsrun(['state', id])).stdout) as State;
  }

  /** Waits until a container is there and in this state. */
  async untilStatus(id: string, status: Status): Promise<void> {
    for (let tries = 0; tries < 400; tries++) {
      const result = await this.tsrun(['state', id]);
      if (result.status === 0 && (JSON.parse(result.stdout) as State).status === status) return;
    }
    throw new Error(`${id} never was ${status}`);
  }

  async start(id: string): Promise<void> {
    succeeded(await this.tsrun(['start', id]));
  }

  async kill(id: string, signal: string): Promise<void> {
    succeeded(await this.tsrun(['kill', id, signal]));
  }

  async delete(id: string, ...flags: string[]): Promise<void> {
    succeeded(await this.tsrun(['delete', ...flags, id]));
  }

  /** Ends what the test has started. */
  async close(): Promise<void> {
    for (const { child, ended } of this.#running) {
      child.kill('SIGKILL');
      await ended;
    }
    for (const pid of this.#orphans) {
      kill(pid);
      await until(
        `the end of process ${pid}`,
        () => processInfo(pid) === undefined || reap(pid) !== undefined,
      );
    }
    // The last one first: it may live in namespaces of an earlier one.
    for (const [id, runtime] of [...this.#containers].reverse()) {
      await this[runtime](['delete', '--force', id]);
      // A pid namespace ends when all its processes have been waited for, those of other containers too.
      reapOrphans();
    }
  }

  /** Everything left in the state roots, for a test that has failed anyway. */
  async deleteAll(): Promise<void> {
    for (const [runtime, root] of [
      ['tsrun', this.root],
      ['runc', this.runcRoot],
    ] as const) {
      for (const id of entries(root)) await this[runtime](['delete', '--force', id]);
    }
  }

  removeFiles(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** Checks that a program has succeeded. */
export function succeeded(result: Result): Result {
  if (result.status === 0 && !result.timedOut) return result;
  throw new AssertionError(describeResult(result, 'succeed'));
}

/** Checks that a program has failed by itself, with a message. */
export function failed(result: Result): Result {
  const { status, stderr, timedOut } = result;
  if (status !== 0 && status < 128 && !timedOut && stderr.trim() !== '') return result;
  throw new AssertionError(describeResult(result, 'fail with a message'));
}

function describeResult({ command, status, stdout, stderr, timedOut }: Result, wanted: string): string {
  const how = timedOut ? 'was killed after its time' : `ended with ${status}`;
  return `expected to ${wanted}, but it ${how}: ${command}\nstdout: ${stdout}\nstderr: ${stderr}`;
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
