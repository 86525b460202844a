import { sendDescriptor } from '../native/socket.ts';
import { draw } from './prepare-container.ts';
import { makeContainer } from './create-container.ts';
import type { Made } from './create-container.ts';
import { reachableManager } from '../service/sd-notify.ts';
import { removePidFile, writePidFile } from '../engine/pid-file.ts';
import type { CreateRequest } from './create-request.ts';
import type { CallerSockets } from '../engine/caller-sockets.ts';
import { connectCallerSockets } from '../engine/caller-sockets.ts';
import { writeRecord } from '../state/store.ts';
import { checkTerminal } from './check-terminal.ts';

/**
 * Creates a container (runtime.md, "Create"): its process exists and waits for `start`. On failure nothing of
 * it is left.
 */
export function create(request: CreateRequest): void {
  const { log, root, noNewKeyring } = request;
  const notifySocket = reachableManager(request.notifySocket, log.warn);
  const blueprint = draw({ ...request, notifySocket }, 'start');
  checkTerminal(blueprint.bundle, request.consoleSocket, true);
  const sockets = connectCallerSockets(request.consoleSocket, request.pidfdSocket);
  try {
    const options = { root, gate: 'start', console: sockets.console, noNewKeyring, log } as const;
    makeContainer(blueprint, options, (made) => {
      announce(made, request, sockets);
    });
  } finally {
    sockets.close();
  }
}

/** Tells the caller of the process, and the state store that the container exists. */
export function announce(
  { folder, record, init, undo }: Pick<Made, 'folder' | 'record' | 'init' | 'undo'>,
  { pidFile }: Pick<CreateRequest, 'pidFile'>,
  sockets: Pick<CallerSockets, 'pidfd'>,
): void {
  if (sockets.pidfd !== undefined) sendDescriptor(sockets.pidfd, 'standard', init.pidfd);
  if (pidFile !== undefined) {
    writePidFile(pidFile, init.pid);
    undo.onFailure('remove its pid file', () => {
      removePidFile(pidFile);
    });
  }
  record.phase = 'created';
  writeRecord(folder, record);
}
