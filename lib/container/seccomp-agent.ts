import { closeSync } from 'node:fs';
import { TsrunError } from '../core/error.ts';
import { connectStream, sendDescriptor } from '../native/socket.ts';
import { seccompReceiverAnnotation } from '../config/annotations.ts';
import type { Config, Seccomp, State } from '../config/types.ts';

/**
 * Sends the listener of a process's filter to the agent, with the container process state (config-linux.md, "The
 * Container Process State").
 *
 * @param state of the container
 * @param pid of the process that has the filter
 * @param listener the caller closes it
 * @throws TsrunError 'config' when there is no agent, 'system' when it cannot be reached or does not listen
 */
export function informAgent(
  { linux, annotations }: Config,
  state: State,
  pid: number,
  listener: number,
): void {
  const agent = agentOf(linux?.seccomp, annotations);
  const socket = connect(agent);
  try {
    const processState = {
      ociVersion: state.ociVersion,
      fds: ['seccompFd'],
      pid,
      ...(agent.metadata === '' ? {} : { metadata: agent.metadata }),
      state,
    };
    sendDescriptor(socket, JSON.stringify(processState), listener);
  } catch (error) {
    throw unreachable(agent, error);
  } finally {
    closeSync(socket);
  }
}

interface Agent {
  path: string;
  metadata: string;
  /** Pointer of the property that names the socket. */
  pointer: string;
}

function agentOf(seccomp: Seccomp | undefined, annotations: Record<string, string> = {}): Agent {
  const { listenerPath = '', listenerMetadata = '' } = seccomp ?? {};
  if (listenerPath !== '') {
    return { path: listenerPath, metadata: listenerMetadata, pointer: '/linux/seccomp/listenerPath' };
  }
  const receiver = annotations[seccompReceiverAnnotation];
  if (receiver !== undefined && receiver !== '') {
    return {
      path: receiver,
      metadata: listenerMetadata,
      pointer: `/annotations/${seccompReceiverAnnotation}`,
    };
  }
  throw new TsrunError('config', 'SCMP_ACT_NOTIFY needs linux.seccomp.listenerPath', {
    pointer: '/linux/seccomp',
  });
}

function connect(agent: Agent): number {
  try {
    return connectStream(agent.path);
  } catch (error) {
    throw unreachable(agent, error);
  }
}

function unreachable({ pointer }: Agent, error: unknown): unknown {
  if (!(error instanceof TsrunError)) return error;
  return error.with({
    reason: `seccomp agent: ${error.reason}`,
    pointer,
    hint: 'the agent must listen on this AF_UNIX stream socket before the container is created',
  });
}
