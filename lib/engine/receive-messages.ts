/**
 * The conversation with the init (messages of lib/plan/wire.ts). Every command that starts or reaches an init holds
 * it through here: a message is taken once and when it is due, and only a child of tsrun is taken for the init.
 */
import { TsrunError } from '../core/error.ts';
import { errnoText } from '../core/errno.ts';
import type { Notice, Tell } from '../core/finding.ts';
import { waitPidfd } from '../native/pidfd.ts';
import { explainFailure } from '../explain/explain-failure.ts';
import type { HostFacts } from '../host/facts.ts';
import type { Plan } from '../plan/types.ts';
import { messages, type Op, syncPoints } from '../plan/wire.ts';
import type { Channel } from './channel.ts';
import { openChild } from './open-child.ts';
import { DueMessages, unexpectedMessage } from './due-messages.ts';
import { endedBeforeExecve, executedOrEnded } from './execve-state.ts';
import { refuseEndSignal } from './held-signals.ts';
import { faultName, nameOf, type Message, type Received } from './message-packet.ts';
import type { Init } from './launch-init.ts';
import { withListener } from './seccomp-listener.ts';
import { closeAll } from '../host/filesystem.ts';

/** What errors and warnings of an init are explained by. */
export interface MessageContext {
  /** The operation with this index in the plan; undefined when it is not known. */
  op: (index: number) => Op | undefined;
  /** For hints about the kernel. */
  facts?: Pick<HostFacts, 'kernel' | 'privileged'> | undefined;
  warn: Tell;
}

/** An init that executes a plan. */
export interface Conversation {
  init: Init;
  plan: Plan;
  facts: HostFacts;
  warn: Tell;
  /** Why the init may have ended without a message. `status` as a shell shows it, when it is known. */
  explainDeath: (status: number | undefined) => TsrunError;
}

/** What follows a message: the init is told to go on, perhaps with descriptors, or the conversation is over for now. */
export type Reply = 'go' | { go: readonly number[] } | 'done';

type SyncPoint = keyof typeof syncPoints;

/** What a command does with each message of the init that commands treat differently. */
export interface Receivers {
  /** Another process continues the plan: `init.process` is that one now. */
  pid: () => void;
  /** The init waits at a sync point. */
  sync: Readonly<Record<SyncPoint, () => Reply>>;
  /** The container is created and waits for `start`. */
  waiting: () => Reply;
  /** The filter of the process has this listener, which is closed afterwards. */
  listener: (listener: number) => void;
}

/** For a message that the plan of a command does not have. */
export function notInPlan(): never {
  throw new TsrunError('internal', 'the init sent a message that its plan does not have');
}

/**
 * Receives the messages of the init until a receiver says `done`.
 * @throws TsrunError 'init' or 'hook' for an operation that failed, 'interrupted' for a signal to tsrun
 */
export function receiveMessages(conversation: Conversation, receivers: Receivers): void {
  const { init } = conversation;
  const due = new DueMessages(conversation.plan);
  for (;;) {
    refuseEndSignal();
    const received = nextMessage(
      init.channel,
      () => init.channel.isPiped && waitPidfd(init.process.pidfd, 0),
    );
    if (received === undefined) throw conversation.explainDeath(init.process.end());
    const type = messageName(received);
    if (receive[type](received, conversation, receivers, due) === 'done') return;
  }
}

type MessageName = Exclude<keyof typeof messages, 'go'>;

type Receive = (
  received: Received,
  conversation: Conversation,
  receivers: Receivers,
  due: DueMessages,
) => Reply | undefined;

/** One row a message: a new one in the wire table does not compile without its row here. */
const receive: Readonly<Record<MessageName, Receive>> = {
  error: ({ message }, conversation) => {
    throw failureOf(message, contextOf(conversation));
  },
  warning: ({ message }, conversation) => {
    conversation.warn(explain(message, contextOf(conversation)));
    return undefined;
  },
  pipes: ({ fds }, { init }) => {
    init.channel.usePipes(fds);
    return undefined;
  },
  pid: ({ message }, { init }, receivers, due) => {
    due.take(message);
    const before = init.process;
    if (message.value === before.pid) throw unexpectedMessage(message);
    init.process = openChild(message.value, init.image, init.undo);
    // When it has ended already, its pid is free; what it has sent is still to be read: why, or who goes on with the plan.
    if (init.process.status === undefined) receivers.pid();
    // It has nothing more to send, and is ending.
    before.end();
    return undefined;
  },
  sync: ({ message }, { init: { channel } }, receivers, due) => {
    due.take(message);
    return answer(channel, receivers.sync[syncPointName(message)]());
  },
  waiting: ({ message }, { init: { channel } }, receivers, due) => {
    due.take(message);
    return answer(channel, receivers.waiting());
  },
  listener: ({ message, fds }, { init }, receivers, due) => {
    due.take(message);
    withListener(init, message, fds, receivers.listener);
    return answer(init.channel, 'go');
  },
};

function answer(channel: Channel, reply: Reply): Reply {
  if (reply !== 'done') channel.sendGo(reply === 'go' ? [] : reply.go);
  return reply;
}

/**
 * Sends the last `go` and returns once the process executes its program.
 * @throws TsrunError 'init' or 'hook' when it does not come to that, 'interrupted' for a signal to tsrun
 */
export function executeProgram(conversation: Conversation): void {
  const { channel, image, process: child } = conversation.init;
  channel.sendGo();
  awaitExecve(channel, contextOf(conversation), () => executedOrEnded(child.pid, image));
  if (endedBeforeExecve(child.pid, image)) throw conversation.explainDeath(child.end());
}

/**
 * Waits until the init closes its channel, which execve(2) does, or until `isOver` says so: a process of the container
 * that has taken the init's end keeps it open for as long as it likes.
 */
export function awaitExecve(channel: Channel, context: MessageContext, isOver: () => boolean): void {
  for (;;) {
    refuseEndSignal();
    const received = nextMessage(channel, isOver);
    if (received === undefined) return;
    const { message } = received;
    closeAll(received.fds);
    if (message.type === messages.error) throw failureOf(message, context);
    if (message.type !== messages.warning) throw unexpectedMessage(message);
    context.warn(explain(message, context));
  }
}

/** How long a message is waited for without a look at the process and at signals. */
const patienceMs = 100;

/** Undefined when the init has closed its end, or `isOver` says so. Descriptors come with two messages only. */
function nextMessage(channel: Channel, isOver: () => boolean): Received | undefined {
  for (;;) {
    let received = channel.receive(patienceMs);
    if (received === 'nothing') {
      refuseEndSignal();
      if (!isOver()) continue;
      // What it sent before its end has arrived by now.
      received = channel.receive(0);
    }
    return received === 'nothing' ? undefined : received;
  }
}

/** Also closes the descriptors that came with a message which should have none. */
function messageName({ message, fds }: Received): MessageName {
  const name = nameOf(messages, message.type);
  if (name !== 'listener' && name !== 'pipes') closeAll(fds);
  // `go` is for the init only.
  if (name === undefined || name === 'go') throw unexpectedMessage(message);
  return name;
}

function syncPointName(message: Message): SyncPoint {
  const name = nameOf(syncPoints, message.value);
  if (name === undefined) throw unexpectedMessage(message);
  return name;
}

function contextOf({ plan, facts, warn }: Conversation): MessageContext {
  return { op: (index) => plan.ops[index], facts, warn };
}

function failureOf(message: Message, context: MessageContext): TsrunError {
  const { pointer, reason, hint } = explain(message, context);
  const code = context.op(message.op)?.op === 'hook' ? 'hook' : 'init';
  return new TsrunError(code, reason, { pointer, hint, errno: Math.abs(message.errno) });
}

function explain({ op: index, errno, value, detail }: Message, { op, facts }: MessageContext): Notice {
  const operation = op(index);
  if (operation !== undefined) {
    return explainFailure(operation, { errno, fault: faultName(value), detail }, facts);
  }
  const why = errno === 0 ? [] : [errnoText(Math.abs(errno))];
  return { reason: ['the init', ...(detail === '' ? [] : [detail]), ...why].join(': ') };
}
