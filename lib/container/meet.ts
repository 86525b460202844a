import { TsrunError, systemError } from '../errors.ts';
import { pidfdOpen } from '../host/child.ts';
import { messages } from '../plan/wire.ts';
import { Child } from './child.ts';
import { nextMessage } from './dialogue.ts';
import type { Subject } from './dialogue.ts';
import type { Undo } from './undo.ts';

/**
 * Process B, which A makes a child of ours; undefined when A has ended without a word. It is killed when
 * something fails later.
 */
export function meetInit(sync: number, subject: Subject, undo: Undo): Child | undefined {
  const message = nextMessage(sync, subject);
  if (message === undefined) return undefined;
  if (message.type !== messages.pid) throw unexpectedMessage(message.type);
  const pidfd = pidfdOpen(message.value);
  if (pidfd < 0) throw systemError(`open process ${message.value}`, pidfd);
  const init = new Child(message.value, pidfd);
  undo.always('put away its process', () => {
    init.close();
  });
  undo.onFailure('end its process', () => {
    init.kill();
  });
  return init;
}

export function unexpectedMessage(type: number): TsrunError {
  return new TsrunError('internal', `the init sent a message of type ${type} out of turn`);
}
