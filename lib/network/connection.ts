import { closeSync } from 'node:fs';
import { errnos } from '../core/errno.ts';
import { systemError } from '../core/error.ts';
import type { TsrunError } from '../core/error.ts';
import { openNetlink, receiveNetlink, sendNetlink } from '../native/netlink.ts';
import { printable } from '../core/message-text.ts';
import { controlTypes, decodeError, decodeMessages, encodeMessage, messageFlags } from './netlink-message.ts';

/** What to ask of the kernel, and what to say when it refuses. */
export interface NetlinkRequest {
  /** Of rtnetlink(7): RTM_*. */
  type: number;
  body: Buffer;
  /** NLM_F_* besides those every request has. */
  flags?: number;
  /** What is done by it: `move eth0`. */
  what: string;
  /** JSON pointer of the property it is done for. */
  pointer: string;
  /** What helps, by the errno. */
  hints?: ReadonlyMap<number, string>;
}

/** A dump that changes came in between of is asked for again, this often. */
const dumpTries = 5;

/** A conversation with the kernel about one network namespace. */
export class NetlinkConnection {
  readonly #sock: number;
  #sequence = 0;

  /** In the namespace of this descriptor, or tsrun's own. */
  constructor(namespace?: number) {
    this.#sock = openNetlink(namespace);
  }

  close(): void {
    closeSync(this.#sock);
  }

  /** Asks for one thing. Returns the bodies of the answers; throws what the kernel says is wrong. */
  request(request: NetlinkRequest): Buffer[] {
    return this.#exchange(request, messageFlags.ack).bodies;
  }

  /** Asks for a list: the body of each entry. */
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
