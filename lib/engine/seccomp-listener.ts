import { readlinkSync } from 'node:fs';
import { pidfdGetfd } from '../native/pidfd.ts';
import { unexpectedMessage } from './due-messages.ts';
import type { Message } from './message-packet.ts';
import type { Init } from './launch-init.ts';
import { closeAll } from '../host/filesystem.ts';

/**
 * Gives the listener that came with `message` to `use`, and closes it: through a socket as a descriptor, through pipes
 * as a number in the init.
 */
export function withListener(
  { channel, process: child }: Init,
  message: Message,
  sent: readonly number[],
  use: (listener: number) => void,
): void {
  const fds = channel.isPiped ? [pidfdGetfd(child.pidfd, message.value)] : sent;
  try {
    const [listener] = fds;
    if (listener === undefined || !isListener(listener)) throw unexpectedMessage(message);
    use(listener);
  } finally {
    closeAll([...fds, ...(channel.isPiped ? sent : [])]);
  }
}

/** A process that traces the init can name any descriptor of it: the agent gets nothing but a listener. */
function isListener(fd: number): boolean {
  return readlinkSync(`/proc/self/fd/${fd}`) === 'anon_inode:seccomp notify';
}
