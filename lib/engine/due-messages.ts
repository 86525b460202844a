import { TsrunError } from '../core/error.ts';
import type { Plan } from '../plan/types.ts';
import { messages, newListenerFlag, type Op, syncPoints } from '../plan/wire.ts';
import type { Message } from './message-packet.ts';

type Sent = Pick<Message, 'type' | 'value'>;

/**
 * Which messages the init of a plan may still send: those of its operations, each once, and the messages of process B
 * only after all clones. A process of the container that can trace B can send messages in its name
 * (lib/plan/visible-clone.ts).
 */
export class DueMessages {
  #clones: number;
  readonly #left: Set<string>;

  constructor({ ops }: Pick<Plan, 'ops'>) {
    this.#clones = ops.filter(isClone).length;
    this.#left = new Set(ops.flatMap(sentBy).map(keyOf));
  }

  /** @throws TsrunError 'internal' for a message that is not due */
  take(message: Sent): void {
    const isDue = message.type === messages.pid ? this.#clones-- > 0 : this.#left.delete(keyOf(message));
    if (!isDue || (isSentByB(message) && this.#clones > 0)) throw unexpectedMessage(message);
  }
}

export function unexpectedMessage({ type }: Pick<Message, 'type'>): TsrunError {
  return new TsrunError('internal', `the init sent a message of type ${type} out of turn`);
}

function isSentByB({ type, value }: Sent): boolean {
  const points: readonly number[] = [syncPoints.ready, syncPoints.entered];
  return (
    type === messages.waiting ||
    type === messages.listener ||
    (type === messages.sync && points.includes(value))
  );
}

function isClone({ op }: Op): boolean {
  return op === 'clone' || op === 'cloneVisible' || op === 'cloneIntoCgroup';
}

type MessageName = keyof typeof messages;

/** Messages that need no operation: clones are counted, the others are taken at any time or sent by the engine. */
type OfNoOperation = 'pid' | 'error' | 'warning' | 'pipes' | 'go';

/** The value with which an operation sends a message; undefined when it does not send it. */
type SentBy = (op: Op) => number | undefined;

const senders: Readonly<Record<Exclude<MessageName, OfNoOperation>, SentBy>> = {
  sync: (op) => (op.op === 'sync' ? op.point : undefined),
  waiting: (op) => (op.op === 'waitStart' ? 0 : undefined),
  listener: (op) => (op.op === 'seccomp' && (op.flags & newListenerFlag) !== 0 ? 0 : undefined),
};

function sentBy(op: Op): Sent[] {
  return Object.entries(senders).flatMap(([name, valueOf]) => {
    const value = valueOf(op);
    return value === undefined ? [] : [{ type: messages[name as MessageName], value }];
  });
}

/** Only the value of a sync point counts: that of a listener is a descriptor. */
function keyOf({ type, value }: Sent): string {
  return type === messages.sync ? `sync ${value}` : String(type);
}
