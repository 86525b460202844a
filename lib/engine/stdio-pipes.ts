import { closeSync, fstatSync } from 'node:fs';
import { isTerminal } from '../native/terminal.ts';
import type { StdioEnds } from '../native/foreground.ts';
import { pipe } from '../native/poll.ts';

/**
 * Stdio of a process in the foreground that has no terminal of its own, where tsrun's is one: pipes in its place.
 * Whoever holds a terminal can type on it what the shell behind reads next (TIOCSTI of ioctl_tty(2)), and read what
 * its user types.
 */
export class StdioPipes {
  /** What the process gets as 0, 1 and 2. */
  readonly theirs: StdioEnds;
  /** The other ends, for foreground(); -1 where it has tsrun's own. */
  readonly ours: StdioEnds;
  #lent: number[];
  #kept: number[];

  private constructor(theirs: StdioEnds, ours: StdioEnds) {
    this.theirs = theirs;
    this.ours = ours;
    this.#lent = [...new Set(theirs)].filter((fd) => fd > 2);
    this.#kept = ours.filter((fd) => fd >= 0);
  }

  /** Undefined where tsrun's stdio is no terminal at all. */
  static open(): StdioPipes | undefined {
    const terminals = [0, 1, 2].map(isTerminal);
    if (!terminals.includes(true)) return undefined;
    const open: number[] = [];
    const make = (): [reader: number, writer: number] => {
      const ends = pipe();
      open.push(...ends);
      return ends;
    };
    try {
      const [stdin, toStdin] = terminals[0] === true ? make() : [0, -1];
      const [fromStdout, stdout] = terminals[1] === true ? make() : [-1, 1];
      // One pipe where both are one terminal, so that lines stay in their order.
      const shared = terminals[1] === true && terminals[2] === true && isSame(1, 2);
      const [fromStderr, stderr] = shared ? [-1, stdout] : terminals[2] === true ? make() : [-1, 2];
      return new StdioPipes([stdin, stdout, stderr], [toStdin, fromStdout, fromStderr]);
    } catch (error) {
      close(open);
      throw error;
    }
  }

  /** Closes what the process has by now. */
  closeTheirs(): void {
    close(this.#lent.splice(0));
  }

  /** Closes ours, unless foreground() has them. */
  closeOurs(): void {
    close(this.#kept.splice(0));
  }
}

function close(fds: readonly number[]): void {
  fds.forEach((fd) => {
    closeSync(fd);
  });
}

function isSame(one: number, other: number): boolean {
  const [a, b] = [fstatSync(one), fstatSync(other)];
  return a.dev === b.dev && a.ino === b.ino;
}
