import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';
import { closeSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ReadStream } from 'node:tty';
import { openPty } from './pty.ts';

/** The environment of every fixture: no more than it needs. */
const env = { PATH: process.env['PATH'] ?? '' };

/** One run of foreground-fixture.ts, with what it has printed so far. */
export class ForegroundSession {
  readonly child: ChildProcess;
  readonly exit: Promise<number | null>;
  output = '';
  readonly #waiting = new Set<() => void>();

  constructor(mode: 'plain' | 'pty' | 'held' | 'threads', script: string, stdio: StdioOptions) {
    const fixture = join(import.meta.dirname, 'foreground-fixture.ts');
    const node = [process.execPath, '--import', 'tsx', fixture, mode, script];
    // A session of its own, whose terminal is the one on its stdin: as below a shell in a terminal window.
    const terminal = Array.isArray(stdio) && typeof stdio[0] === 'number' ? ['-c'] : [];
    this.child = spawn('setsid', [...terminal, ...node], { stdio, env });
    this.exit = new Promise((resolve) => {
      this.child.once('close', (status, signal) => {
        resolve(signal === null ? status : -1);
      });
    });
    this.child.stdout?.on('data', this.append);
    this.child.stderr?.on('data', this.append);
  }

  append = (data: Buffer): void => {
    this.output += data.toString('latin1');
    for (const check of this.#waiting) check();
  };

  /** Resolves as soon as the output contains `text`. */
  async waitFor(text: string): Promise<void> {
    let check: (() => void) | undefined;
    await new Promise<void>((resolve, reject) => {
      check = () => {
        if (this.output.includes(text)) resolve();
      };
      this.#waiting.add(check);
      void this.exit.then(() => {
        setTimeout(() => {
          reject(new Error(`ended without printing ${JSON.stringify(text)}: ${JSON.stringify(this.output)}`));
        }, 200);
      });
      check();
    });
    if (check !== undefined) this.#waiting.delete(check);
  }

  /** Ends what a failed test has left running. */
  close(): void {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGTERM');
    // What it ran may outlive it, with our pipes open.
    for (const stream of [this.child.stdin, this.child.stdout, this.child.stderr]) stream?.destroy();
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  /** CPU time the fixture has used, in clock ticks (1/100 s). */
  cpuTicks(): number {
    const fields = readFileSync(`/proc/${String(this.pid)}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    return Number(fields[11]) + Number(fields[12]);
  }
}

/** A session on a pty of its own, as in a terminal window. The caller closes it. */
export class TerminalSession extends ForegroundSession {
  readonly slave: number;
  readonly #master: ReadStream;

  constructor(script: string, prepare: (slave: number) => void = () => undefined) {
    const { master, slave } = openPty();
    prepare(slave);
    super('pty', script, [slave, slave, slave]);
    this.slave = slave;
    this.#master = new ReadStream(master);
    this.#master.on('data', this.append);
    // EIO when the last slave is closed.
    this.#master.on('error', () => undefined);
  }

  type(text: string | Buffer): void {
    (this.#master as unknown as NodeJS.WritableStream).write(text);
  }

  override close(): void {
    super.close();
    closeSync(this.slave);
    this.#master.destroy();
  }
}
