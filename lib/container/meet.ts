import { closeSync } from 'node:fs';
import { TsrunError, systemError } from '../errors.ts';
import { pidfdOpen } from '../host/child.ts';
import { messages } from '../plan/wire.ts';
import { Child } from './child.ts';
import { nextMessage } from './dialogue.ts';
import type { Received, Subject } from './dialogue.ts';
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

/** Hands over the listener the init sent with `message`, and closes it here. */
export function passListener({ type, fds }: Received, receive: (listener: number) => void): void {
  try {
    const [listener] = fds;
    if (listener === undefined) throw unexpectedMessage(type);
    receive(listener);
  } finally {
    fds.forEach((fd) => {
      closeSync(fd);
    });
  }
}

export function unexpectedMessage(type: number): TsrunError {
  return new TsrunError('internal', `the init sent a message of type ${type} out of turn`);
}
