import { closeSync, readlinkSync } from 'node:fs';
import { TsrunError, systemError } from '../core/error.ts';
import { pidfdGetfd, pidfdOpen, reap } from '../native/pidfd.ts';
import { messages } from '../plan/wire.ts';
import type { Channel } from './channel.ts';
import { Child } from '../native/child.ts';
import { nextMessage } from './messages.ts';
import type { Received, Subject } from './messages.ts';
import type { Undo } from '../core/undo.ts';

/** The next message must name a process that goes on in A's stead; undefined when A has ended without a word. */
export function meetInit(sync: Channel, subject: Subject, undo: Undo): Child | undefined {
  const message = nextMessage(sync, subject);
  return message === undefined ? undefined : adoptChild(message, undo);
}

/**
 * The process that `message` names, which goes on with the plan. It is killed when something fails later.
 *
 * A container's process that may trace B can speak in its name: only a child of ours is believed.
 */
export function adoptChild({ type, value: pid }: Received, undo: Undo): Child {
  if (type !== messages.pid) throw unexpectedMessage(type);
  const pidfd = pidfdOpen(pid);
  if (pidfd < 0) throw systemError(`open process ${pid}`, pidfd);
  const child = new Child(pid, pidfd);
  try {
    // The kernel knows, whichever procfs is on /proc.
    child.status = reap(pidfd);
  } catch (cause) {
    closeSync(pidfd);
    throw new TsrunError('init', `the init named process ${pid}, which is no child of tsrun`, { cause });
  }
  undo.always('put away its process', () => {
    child.close();
  });
  undo.onFailure('end its process', () => {
    child.kill();
  });
  return child;
}

/** Hands over the listener the init sent with `message`, and closes it here. */
export function passListener(
  { type, value, fds: sent }: Received,
  { channel, init }: { channel: Channel; init: Child },
  receive: (listener: number) => void,
): void {
  const fds = channel.isSocket ? sent : [pidfdGetfd(init.pidfd, value)];
  try {
    const [listener] = fds;
    if (listener === undefined || !isListener(listener)) throw unexpectedMessage(type);
    receive(listener);
  } finally {
    fds.forEach((fd) => {
      closeSync(fd);
    });
  }
}

/** Whoever traces the init may name another descriptor of its: the agent gets nothing else. */
function isListener(fd: number): boolean {
  return readlinkSync(`/proc/self/fd/${fd}`) === 'anon_inode:seccomp notify';
}

export function unexpectedMessage(type: number): TsrunError {
  return new TsrunError('internal', `the init sent a message of type ${type} out of turn`);
}
