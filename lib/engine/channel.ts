import { closeSync } from 'node:fs';

/** The way to the init, or to the container's process that `start` connects to. */
export class Channel {
  /** Where messages come from, and where `go` is written to: one socket, or the ends of two pipes. */
  from: number;
  to: number;
  /** pidfd of the process at the other end: who traces it may keep a pipe open that it had. */
  pidfd: number | undefined;
  readonly #mayUsePipes: boolean;
  #pipes = false;

  constructor(socket: number, { mayUsePipes }: { mayUsePipes: boolean }) {
    this.from = socket;
    this.to = socket;
    this.#mayUsePipes = mayUsePipes;
  }

  get awaitsPipes(): boolean {
    return this.#mayUsePipes && !this.#pipes;
  }

  get isSocket(): boolean {
    return !this.#pipes;
  }

  /** Takes these pipes in place of the socket, which is closed. */
  usePipes(from: number, to: number): void {
    this.close();
    this.from = from;
    this.to = to;
    this.#pipes = true;
  }

  close(): void {
    closeSync(this.from);
    if (this.to !== this.from) closeSync(this.to);
  }
}
