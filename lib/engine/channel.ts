import { closeSync } from 'node:fs';
import { errnos } from '../core/errno.ts';
import { TsrunError } from '../core/error.ts';
import { messages } from '../plan/wire.ts';
import { type Received, receiveMessage, sendMessage } from './message-packet.ts';
import { closeAll } from '../host/filesystem.ts';

/**
 * More messages than any plan leads to. A process of the container that can trace the init can send warnings in its
 * name without end.
 */
const maxMessages = 10_000;

/** The connection to the init, or to the container's process that `start` connects to. */
export class Channel {
  /** Where messages come from, and where `go` is written to: one socket, or the ends of two pipes. */
  #from: number;
  #to: number;
  readonly #mayUsePipes: boolean;
  #received = 0;

  constructor(socket: number, { mayUsePipes }: { mayUsePipes: boolean }) {
    this.#from = socket;
    this.#to = socket;
    this.#mayUsePipes = mayUsePipes;
  }

  /** The init uses pipes from now on. */
  get isPiped(): boolean {
    return this.#from !== this.#to;
  }

  /**
   * Takes these pipes in place of the socket, which is closed.
   * @throws TsrunError 'init' when it must not, or has done so before; the pipes are closed then
   */
  usePipes(fds: readonly number[]): void {
    const [from, to] = fds;
    if (!this.#mayUsePipes || this.isPiped || fds.length !== 2 || from === undefined || to === undefined) {
      closeAll(fds);
      throw new TsrunError('init', 'the init sent pipes out of turn');
    }
    this.close();
    this.#from = from;
    this.#to = to;
  }

  /**
   * The next message; undefined at the end, 'nothing' when none comes in time.
   * @throws TsrunError 'init' when the messages do not end
   */
  receive(timeoutMs: number): Received | undefined | 'nothing' {
    if (this.#received++ > maxMessages) throw new TsrunError('init', 'the init sends messages without end');
    try {
      return receiveMessage(this.#from, timeoutMs);
    } catch (error) {
      if (error instanceof TsrunError && error.errno === errnos.ETIMEDOUT) {
        this.#received--;
        return 'nothing';
      }
      throw error;
    }
  }

  /** Sends `go`. An init that has ended is no error: its last messages are still to be read. */
  sendGo(fds: readonly number[] = []): void {
    try {
      sendMessage(this.#to, { type: messages.go, op: 0, errno: 0, value: 0, detail: '' }, fds);
    } catch (error) {
      const ended: readonly (number | undefined)[] = [errnos.EPIPE, errnos.ECONNRESET];
      if (!(error instanceof TsrunError && ended.includes(error.errno))) throw error;
    }
  }

  close(): void {
    closeSync(this.#from);
    if (this.isPiped) closeSync(this.#to);
  }
}
