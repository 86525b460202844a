import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { isAlive } from '../../harness/processes.ts';
import { cleanEnv } from '../../harness/programs.ts';
import { until } from '../../harness/until.ts';

export interface DaemonOptions {
  /** The daemon is ready when this socket or file is there; `answers` may ask for more. */
  socket: string;
  log: string;
  env?: Record<string, string>;
  /** True once the daemon answers; asked again and again. */
  answers?: () => boolean;
}

/** A daemon of an engine: started with its own folders, ended by its pid. */
export class Daemon {
  readonly #child: ChildProcess;
  readonly #log: string;

  private constructor(child: ChildProcess, log: string) {
    this.#child = child;
    this.#log = log;
  }

  /** Starts a daemon and waits until it is ready. An error has the end of its log. */
  static async start(program: string, args: readonly string[], options: DaemonOptions): Promise<Daemon> {
    // One that was killed has left its socket, which must not pass for the new one.
    rmSync(options.socket, { force: true });
    const log = openSync(options.log, 'a');
    const child = spawn(program, args, { env: cleanEnv(options.env), stdio: ['ignore', log, log] });
    closeSync(log);
    // The leak check may wait for it before Node does, which then never hears of its end.
    child.unref();
    const daemon = new Daemon(child, options.log);
    const ready = (): boolean => {
      if (!daemon.isRunning()) throw new Error(`${program} has ended: ${daemon.logTail()}`);
      return existsSync(options.socket) && (options.answers?.() ?? true);
    };
    await until(`${program} to be ready`, ready, 30_000).catch(async (error: unknown) => {
      await daemon.kill();
      throw new Error(`${String(error)}\n${daemon.logTail()}`, { cause: error });
    });
    return daemon;
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('the daemon was never started');
    return this.#child.pid;
  }

  isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null && isAlive(this.pid);
  }

  /** Ends it as an administrator does. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** Ends it as the kernel's OOM killer does. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** The last lines of its log. */
  logTail(lines = 20): string {
    return readFileSync(this.#log, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (!this.isRunning()) return;
    this.#child.kill(signal);
    // Node has to have waited for it: nobody else does, now that it is a zombie.
    const ended = (): boolean => this.#child.exitCode !== null || this.#child.signalCode !== null;
    await until('the daemon to end', ended, 20_000).catch(async () => {
      this.#child.kill('SIGKILL');
      await until('the daemon to die', ended);
    });
  }
}
