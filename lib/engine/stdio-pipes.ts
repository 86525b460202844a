import { fstatSync } from 'node:fs';
import { isTerminal } from '../native/terminal.ts';
import type { StdioEnds } from '../native/foreground.ts';
import { pipe } from '../native/poll.ts';
import { closeAll } from '../host/filesystem.ts';

/**
 * Pipes for a process in the foreground, in place of those descriptors of tsrun's stdio that are a terminal. A process
 * that has the terminal could put input into it, which the user's shell reads later (TIOCSTI of ioctl_tty(2)), and read
 * what the user types.
 */
export class StdioPipes {
  /** What the process gets as 0, 1 and 2. */
  readonly theirs: StdioEnds;
  /** The other ends, for foreground(); -1 where the process has tsrun's own descriptor. */
  readonly ours: StdioEnds;
  #lent: number[];
  #kept: number[];

  private constructor(theirs: StdioEnds, ours: StdioEnds) {
    this.theirs = theirs;
    this.ours = ours;
    this.#lent = [...new Set(theirs)].filter((fd) => fd > 2);
    this.#kept = ours.filter((fd) => fd >= 0);
  }

  /** Opens the pipes; undefined when no descriptor of tsrun's stdio is a terminal. */
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
      // One pipe for both when they are one terminal: lines stay in their order.
      const shared = terminals[1] === true && terminals[2] === true && isSame(1, 2);
      const [fromStderr, stderr] = shared ? [-1, stdout] : terminals[2] === true ? make() : [-1, 2];
      return new StdioPipes([stdin, stdout, stderr], [toStdin, fromStdout, fromStderr]);
    } catch (error) {
      closeAll(open);
      throw error;
    }
  }

  /** Closes the ends of the process, once it has copies of them. */
  closeTheirs(): void {
    closeAll(this.#lent.splice(0));
  }

  /** Closes tsrun's ends, unless foreground() has taken them over. */
  closeOurs(): void {
    closeAll(this.#kept.splice(0));
  }
}

function isSame(one: number, other: number): boolean {
  const [a, b] = [fstatSync(one), fstatSync(other)];
  return a.dev === b.dev && a.ino === b.ino;
}
