import { closeSync, readSync } from 'node:fs';
import { pidfdSignal, reap, waitPidfd } from '../native/pidfd.ts';
import { longestPollMs, pipe, poll } from '../native/poll.ts';
import { spawn } from '../native/spawn.ts';
import { sigkill } from '../host/signals.ts';

/** A program of the host that tsrun runs on the container's behalf and waits for. */
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
  /** It is killed when the process of this pidfd ends: then nobody needs it any more. */
  whileAlive?: number | undefined;
}

export interface ProgramResult {
  /** Exit status as a shell shows it. */
  status: number;
  /** Why it was killed, if we did it. */
  killed: 'timeout' | 'unneeded' | undefined;
  /** The end of what it wrote. */
  stdout: string;
  stderr: string;
}

/** So much of each stream is kept, in bytes. */
const keptOutput = 4096;

/**
 * Runs a program to its end. Its output is drained, so it never blocks on it, and only the end is kept. The
 * program has ended when its first process has: what it leaves behind may keep the pipes open. When it must
 * be killed, all of its session is. Throws when it cannot be executed.
 */
export function runProgram(program: Program): ProgramResult {
  const [output, outputWriter] = pipe();
  const [errors, errorsWriter] = pipe();
  const streams = [new Tail(output), new Tail(errors)] as const;
  try {
    const child = startProgram(program, outputWriter, errorsWriter);
    try {
      const killed = attend(child.pidfd, streams, program);
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
      // What it does for a container must not go on beside the clean-up after a tsrun that was killed.
      endWithTsrun: true,
    });
  } finally {
    closeSync(stdout);
    closeSync(stderr);
  }
}

/** Reads what the program writes until it ends or must be killed. */
function attend(pidfd: number, streams: readonly Tail[], program: Program): ProgramResult['killed'] {
  const { timeoutMs, whileAlive } = program;
  const deadline = timeoutMs === undefined ? Infinity : performance.now() + timeoutMs;
  for (;;) {
    const left = Math.max(0, Math.min(deadline - performance.now(), longestPollMs));
    const open = streams.filter((stream) => !stream.ended);
    const watched = whileAlive === undefined ? [pidfd] : [pidfd, whileAlive];
    const ready = poll(
      [...watched, ...open.map(({ fd }) => fd)],
      left === longestPollMs ? -1 : Math.ceil(left),
    );
    if (ready[0] === true) return undefined;
    if (whileAlive !== undefined && ready[1] === true) return 'unneeded';
    if (performance.now() >= deadline) return 'timeout';
    open.forEach((stream, index) => {
      if (ready[watched.length + index] === true) stream.read();
    });
  }
}

/** What is in the pipe when the program has ended; those it left behind may go on writing for ever. */
function drain(stream: Tail): void {
  const pipeCapacity = 64 * 1024;
  for (let size = 0; size < pipeCapacity && !stream.ended && poll([stream.fd], 0)[0] === true;) {
    size += stream.read();
  }
}

function kill({ pid, pidfd }: { pid: number; pidfd: number }): void {
  try {
    // Its session is its process group, too, and the pid cannot have been reused: we have not reaped it.
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
