import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { descendants } from './processes.ts';
import { cleanEnv } from './programs.ts';
import { until } from './until.ts';

export interface RunOptions {
  cwd?: string;
  /** Added to the clean environment of programs.ts. */
  env?: Record<string, string>;
  input?: string;
  /** Output goes to /dev/null instead of the result. */
  silent?: boolean;
  /** Descriptors from 3 on. */
  fds?: readonly number[];
  /** Milliseconds until the program and everything it started is killed. */
  timeout?: number;
}

export interface Result {
  command: string;
  /** Exit status as a shell tells it. */
  status: number;
  stdout: string;
  stderr: string;
  timedOut: boolean;
}

const outputs = mkdtempSync('/var/tmp/tsrun-test-output-');
process.on('exit', () => {
  rmSync(outputs, { recursive: true, force: true });
});
let counter = 0;
const nowhere = ['ignore', 'ignore'] as const;

/**
 * Runs a program to its end. Its output goes to files, not pipes: a container that stays behind keeps them
 * open, and nobody waits for it. It is never waited for longer than the timeout.
 */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Result> {
  const base = join(outputs, String(counter++));
  const stdin = options.input === undefined ? 'ignore' : 'pipe';
  const [stdout, stderr] = [openSync(`${base}.out`, 'w+'), openSync(`${base}.err`, 'w+')];
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: cleanEnv(options.env),
    stdio: [stdin, ...(options.silent === true ? nowhere : [stdout, stderr]), ...(options.fds ?? [])],
  });
  closeSync(stdout);
  closeSync(stderr);
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(options.input);
  const { status, timedOut } = await ended(child, options.timeout ?? 20_000);
  return {
    command: [program, ...args].join(' '),
    status,
    stdout: readFileSync(`${base}.out`, 'utf8'),
    stderr: readFileSync(`${base}.err`, 'utf8'),
    timedOut,
  };
}

/** A program a test talks to while it runs. */
export interface Background {
  child: ChildProcess;
  /** What it has written so far. */
  stdout: () => string;
  stderr: () => string;
  ended: Promise<{ status: number; timedOut: boolean }>;
}

/** Starts a program and leaves it running, its stdio on pipes. */
export function background(program: string, args: readonly string[], options: RunOptions = {}): Background {
  const stdio: StdioOptions = ['pipe', 'pipe', 'pipe', ...(options.fds ?? [])];
  const child = spawn(program, args, { cwd: options.cwd, env: cleanEnv(options.env), stdio });
  const text = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (text.stdout += chunk));
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (text.stderr += chunk));
  child.stdin?.on('error', () => undefined);
  return {
    child,
    stdout: () => text.stdout,
    stderr: () => text.stderr,
    ended: ended(child, options.timeout ?? 20_000),
  };
}

/** Waits until a program has printed a text. */
export async function printed(program: Background, text: string): Promise<void> {
  try {
    await until(JSON.stringify(text), () => program.stdout().includes(text));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${why}\nstdout: ${program.stdout()}\nstderr: ${program.stderr()}`, {
      cause: error,
    });
  }
}

async function ended(child: ChildProcess, timeout: number): Promise<{ status: number; timedOut: boolean }> {
  return await new Promise((resolve, reject) => {
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      if (child.pid !== undefined) for (const { pid } of descendants(child.pid)) kill(pid);
      child.kill('SIGKILL');
    }, timeout);
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      resolve({ status: code ?? 128 + signalNumber(signal), timedOut });
    });
  });
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function signalNumber(name: NodeJS.Signals | null): number {
  return name === null ? 0 : constants.signals[name];
}
