import { closeSync } from 'node:fs';
import { errnos } from '../core/errno.ts';
import { systemError, type TsrunError } from '../core/error.ts';
import { openNetlink, receiveNetlink, sendNetlink } from '../native/netlink.ts';
import { printable } from '../core/message-text.ts';
import { controlTypes, decodeError, decodeMessages, encodeMessage, messageFlags } from './netlink-message.ts';

/** A request to the kernel, and the words for its failure. */
export interface NetlinkRequest {
  /** Of rtnetlink(7): RTM_*. */
  type: number;
  body: Buffer;
  /** NLM_F_* besides those every request has. */
  flags?: number;
  /** What it does, for errors: `move eth0`. */
  what: string;
  /** JSON pointer of the property it is for. */
  pointer: string;
  /** Hints by errno. */
  hints?: ReadonlyMap<number, string>;
}

/** How often to ask for a list, when changes interrupt it. */
const dumpTries = 5;

/** A netlink socket in one network namespace. */
export class NetlinkConnection {
  readonly #sock: number;
  #sequence = 0;

  /** In the namespace of the descriptor, or else tsrun's own. */
  constructor(namespace?: number) {
    this.#sock = openNetlink(namespace);
  }

  close(): void {
    closeSync(this.#sock);
  }

  /**
   * Sends a request. Returns the bodies of the answers.
   * @throws TsrunError 'system' with the kernel's errno and words
   */
  request(request: NetlinkRequest): Buffer[] {
    return this.#exchange(request, messageFlags.ack).bodies;
  }

  /** Sends a request for a list. Returns the body of each entry. */
  list(request: NetlinkRequest): Buffer[] {
    for (let tries = 1; ; tries++) {
      const { bodies, interrupted } = this.#exchange(request, messageFlags.dump);
      if (!interrupted) return bodies;
      if (tries === dumpTries) throw refusal(request, errnos.EAGAIN, '');
    }
  }

  #exchange(request: NetlinkRequest, flags: number): { bodies: Buffer[]; interrupted: boolean } {
    const { type, body, flags: more = 0 } = request;
    const sequence = ++this.#sequence;
    sendNetlink(
      this.#sock,
      encodeMessage({ type, flags: messageFlags.request | flags | more, sequence, body }),
    );
    const bodies: Buffer[] = [];
    let interrupted = false;
    for (;;) {
      for (const message of decodeMessages(receiveNetlink(this.#sock))) {
        if (message.sequence !== sequence) continue;
        interrupted ||= (message.flags & messageFlags.dumpInterrupted) !== 0;
        if (message.type === controlTypes.done) return { bodies, interrupted };
        if (message.type !== controlTypes.error) {
          bodies.push(message.body);
          continue;
        }
        const { errno, text } = decodeError(message);
        if (errno === 0) return { bodies, interrupted };
        throw refusal(request, errno, text);
      }
    }
  }
}

function refusal({ what, pointer, hints }: NetlinkRequest, errno: number, text: string): TsrunError {
  const hint = hints?.get(errno);
  const said = text === '' ? what : `${what} (the kernel says: ${printable(text)})`;
  return systemError(said, errno, { pointer, hint });
}
