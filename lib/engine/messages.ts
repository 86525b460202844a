import { closeSync } from 'node:fs';
import { TsrunError } from '../core/error.ts';
import type { Notice, Tell } from '../core/finding.ts';
import { waitPidfd } from '../native/pidfd.ts';
import { errnoText, errnos } from '../core/errno.ts';
import { faultName, receiveMessage, sendMessage } from './decode-message.ts';
import type { Message } from './decode-message.ts';
import { explainFailure } from '../explain/explain-failure.ts';
import type { HostFacts } from '../host/facts.ts';
import { messages } from '../plan/wire.ts';
import type { Op } from '../plan/wire.ts';
import type { Channel } from './channel.ts';

/** What messages of the init are about. */
export interface Subject {
  /** The operation with this index in the plan; undefined when the init names none. */
  op: (index: number) => Op | undefined;
  /** For hints about the kernel. */
  facts?: Pick<HostFacts, 'kernel' | 'privileged'>;
  warn: Tell;
}

/** A message of the init, and what it carries. */
export interface Received extends Message {
  /** The caller's to close. */
  fds: readonly number[];
}

/**
 * The next message that is neither a warning, which is passed on, nor an error, which is thrown with the pointer
 * of its property. Undefined when the init has closed its end.
 */
export function nextMessage(channel: Channel, subject: Subject): Received | undefined {
  const { pidfd } = channel;
  if (channel.isSocket || pidfd === undefined) {
    return receive(subject, channel, () => receiveMessage(channel.from));
  }
  return lastMessage(channel, subject, () => waitPidfd(pidfd, 0));
}

/** How long a message is waited for without a look at the process. */
const patienceMs = 100;

/**
 * As nextMessage, after the last `go`: undefined also when `isOver` says so. A process of the container that has taken
 * the init's end keeps it open for as long as it likes.
 */
export function lastMessage(channel: Channel, subject: Subject, isOver: () => boolean): Received | undefined {
  return receive(subject, channel, () => {
    for (;;) {
      const received = receiveWithin(channel.from, patienceMs);
      if (received !== 'nothing') return received;
      if (!isOver()) continue;
      // What it said before its end is there by now.
      const last = receiveWithin(channel.from, 0);
      return last === 'nothing' ? undefined : last;
    }
  });
}

function receiveWithin(fd: number, timeoutMs: number): ReturnType<typeof receiveMessage> | 'nothing' {
  try {
    return receiveMessage(fd, timeoutMs);
  } catch (error) {
    if (error instanceof TsrunError && error.errno === errnos.ETIMEDOUT) return 'nothing';
    throw error;
  }
}

function receive(
  subject: Subject,
  channel: Channel,
  next: () => ReturnType<typeof receiveMessage>,
): Received | undefined {
  for (;;) {
    const received = next();
    if (received === undefined) return undefined;
    const { message, fds } = received;
    if (message.type === messages.pipes) {
      takePipes(channel, fds);
      continue;
    }
    if (message.type === messages.listener) return { ...message, fds };
    // Nothing else comes with a descriptor, from an init that speaks for itself.
    closeAll(fds);
    if (message.type === messages.error) throw explain(message, subject);
    if (message.type !== messages.warning) return { ...message, fds: [] };
    subject.warn(inWords(message, subject));
  }
}

function takePipes(channel: Channel, fds: readonly number[]): void {
  const [from, to] = fds;
  if (!channel.awaitsPipes || fds.length !== 2 || from === undefined || to === undefined) {
    closeAll(fds);
    throw new TsrunError('init', 'the init sent pipes out of turn');
  }
  channel.usePipes(from, to);
}

function closeAll(fds: readonly number[]): void {
  fds.forEach((fd) => {
    closeSync(fd);
  });
}

/** Sends `go`. An init that has ended is no error: what it said before is still to be read. */
export function sendGo(channel: Channel, fds: readonly number[] = []): void {
  try {
    sendMessage(channel.to, { type: messages.go, op: 0, errno: 0, value: 0, detail: '' }, fds);
  } catch (error) {
    const gone: readonly (number | undefined)[] = [errnos.EPIPE, errnos.ECONNRESET];
    if (!(error instanceof TsrunError && gone.includes(error.errno))) throw error;
  }
}

function explain(message: Message, subject: Subject): TsrunError {
  const { pointer, reason, hint, hook } = inWords(message, subject);
  return new TsrunError(hook ? 'hook' : 'init', reason, { pointer, hint, errno: Math.abs(message.errno) });
}

function inWords(
  { op: index, errno, value, detail }: Message,
  { op, facts }: Subject,
): Notice & { hook: boolean } {
  const operation = op(index);
  if (operation === undefined) {
    const why = errno === 0 ? [] : [errnoText(Math.abs(errno))];
    return { reason: ['the init', ...(detail === '' ? [] : [detail]), ...why].join(': '), hook: false };
  }
  const failure = { errno, fault: faultName(value), detail };
  const { pointer, reason, hint } = explainFailure(operation, failure, facts);
  return { pointer, reason, hint, hook: operation.op === 'hook' };
}
