import { closeSync, readSync } from 'node:fs';
import { pidfdSignal, reap, waitPidfd } from '../native/pidfd.ts';
import { heldEndSignal } from '../native/foreground.ts';
import { longestPollMs, pipe, poll } from '../native/poll.ts';
import { spawn } from '../native/spawn.ts';
import { sigkill } from '../host/signals.ts';

/** A program of the host that tsrun runs for a container: a hook, or a helper such as newuidmap(1). */
export interface Program {
  path: string;
  /** argv, argv[0] included. */
  args: readonly string[];
  env: readonly string[];
  /** Descriptor it reads as stdin. */
  stdin: number;
  cwd: string;
  /** Milliseconds until it is killed; no limit when absent. */
  timeoutMs?: number | undefined;
  /** It is killed when the process of this pidfd ends. */
  whileAlive?: number | undefined;
  /** It is killed when a signal asks tsrun to end, where such signals are kept. */
  untilSignal?: boolean | undefined;
}

export interface ProgramResult {
  /** Exit status as a shell shows it. */
  status: number;
  /** Why tsrun has killed it; undefined when it ended by itself. */
  killed: 'timeout' | 'unneeded' | 'signal' | undefined;
  /** The end of what it wrote. */
  stdout: string;
  stderr: string;
}

/** How many bytes of each stream are kept. */
const keptOutput = 4096;
/** How often kept signals are looked for. */
const signalMs = 100;

/**
 * Runs a program and waits for its first process to end; its other processes may live on and keep the pipes open. Its
 * output is read all the time and only the end is kept. When it must be killed, its whole session is.
 * @throws TsrunError 'system' when it cannot be executed
 */
export function runProgram(program: Program): ProgramResult {
  const [output, outputWriter] = pipe();
  const [errors, errorsWriter] = pipe();
  const streams = [new Tail(output), new Tail(errors)] as const;
  try {
    const child = startProgram(program, outputWriter, errorsWriter);
    try {
      const killed = drainUntilEnd(child.pidfd, streams, program);
      if (killed !== undefined) kill(child);
      waitPidfd(child.pidfd, -1);
      const status = reap(child.pidfd) ?? 0;
      streams.forEach(drain);
      return { status, killed, stdout: streams[0].text(), stderr: streams[1].text() };
    } finally {
      closeSync(child.pidfd);
    }
  } finally {
    closeSync(output);
    closeSync(errors);
  }
}

function startProgram(program: Program, stdout: number, stderr: number): { pid: number; pidfd: number } {
  try {
    return spawn({
      executable: program.path,
      args: program.args,
      env: program.env,
      fds: [program.stdin, stdout, stderr],
      restoreLimits: true,
      cwd: program.cwd,
      newSession: true,
      // When tsrun is killed the container may be cleaned up at once: the program must not run beside that.
      endWithTsrun: true,
    });
  } finally {
    closeSync(stdout);
    closeSync(stderr);
  }
}

/** Reads what the program writes until it ends or must be killed. */
function drainUntilEnd(pidfd: number, streams: readonly Tail[], program: Program): ProgramResult['killed'] {
  const { timeoutMs, whileAlive, untilSignal = false } = program;
  const deadline = timeoutMs === undefined ? Infinity : performance.now() + timeoutMs;
  for (;;) {
    const left = Math.max(
      0,
      Math.min(deadline - performance.now(), longestPollMs, untilSignal ? signalMs : longestPollMs),
    );
    const open = streams.filter((stream) => !stream.ended);
    const watched = whileAlive === undefined ? [pidfd] : [pidfd, whileAlive];
    const ready = poll(
      [...watched, ...open.map(({ fd }) => fd)],
      left === longestPollMs ? -1 : Math.ceil(left),
    );
    if (ready[0] === true) return undefined;
    if (untilSignal && heldEndSignal() !== undefined) return 'signal';
    if (whileAlive !== undefined && ready[1] === true) return 'unneeded';
    if (performance.now() >= deadline) return 'timeout';
    open.forEach((stream, index) => {
      if (ready[watched.length + index] === true) stream.read();
    });
  }
}

/** Reads what is in the pipe when the program has ended, and no more: its other processes may write for ever. */
function drain(stream: Tail): void {
  const pipeCapacity = 64 * 1024;
  for (let size = 0; size < pipeCapacity && !stream.ended && poll([stream.fd], 0)[0] === true;) {
    size += stream.read();
  }
}

function kill({ pid, pidfd }: { pid: number; pidfd: number }): void {
  try {
    // It leads a session, so its pid is that of its process group, and it is not reaped yet.
    process.kill(-pid, sigkill);
  } catch {
    pidfdSignal(pidfd, sigkill);
  }
}

/** The end of a stream. */
class Tail {
  readonly fd: number;
  ended = false;
  #kept = Buffer.alloc(0);

  constructor(fd: number) {
    this.fd = fd;
  }

  /** Call it when the descriptor is ready. */
  read(): number {
    const chunk = Buffer.allocUnsafe(64 * 1024);
    const size = readSync(this.fd, chunk);
    if (size === 0) this.ended = true;
    this.#kept = Buffer.concat([this.#kept, chunk.subarray(0, size)]).subarray(-keptOutput);
    return size;
  }

  text(): string {
    return this.#kept.toString('utf8').trimEnd();
  }
}
