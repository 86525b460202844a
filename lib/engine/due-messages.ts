import type { Plan } from '../plan/types.ts';
import { messages, syncPoints } from '../plan/wire.ts';
import type { Op } from '../plan/wire.ts';
import type { Received } from './messages.ts';
import { unexpectedMessage } from './adopt-child.ts';

/** SECCOMP_FILTER_FLAG_NEW_LISTENER (seccomp(2)). */
const newListenerFlag = 1 << 3;

/** What the init may say: what its plan has it say, each once, and what comes from process B not before B exists. */
export class Due {
  #clones: number;
  readonly #left = new Set<string>();

  constructor({ ops }: Pick<Plan, 'ops'>) {
    this.#clones = ops.filter(isClone).length;
    for (const op of ops) {
      const key = keyOfOp(op);
      if (key !== undefined) this.#left.add(key);
    }
  }

  /** @throws TsrunError 'internal' for a message that is not due */
  take(message: Pick<Received, 'type' | 'value'>): void {
    const isDue =
      message.type === messages.pid ? this.#clones-- > 0 : this.#left.delete(keyOfMessage(message));
    if (!isDue || (isOfB(message) && this.#clones > 0)) throw unexpectedMessage(message.type);
  }
}

/** What process A never says. */
function isOfB({ type, value }: Pick<Received, 'type' | 'value'>): boolean {
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

function keyOfOp(op: Op): string | undefined {
  switch (op.op) {
    case 'sync':
      return keyOfMessage({ type: messages.sync, value: op.point });
    case 'waitStart':
      return keyOfMessage({ type: messages.waiting, value: 0 });
    case 'seccomp':
      return (op.flags & newListenerFlag) === 0
        ? undefined
        : keyOfMessage({ type: messages.listener, value: 0 });
    default:
      return undefined;
  }
}

function keyOfMessage({ type, value }: { type: number; value: number }): string {
  return type === messages.sync ? `sync ${value}` : String(type);
}
