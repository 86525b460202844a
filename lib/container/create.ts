import { prepareContainer } from './prepare-container.ts';
import { createContainer } from './create-container.ts';
import { reachableManager } from '../service/sd-notify.ts';
import type { CreateRequest } from './create-request.ts';
import { type CallerSockets, connectCallerSockets } from '../engine/caller-sockets.ts';
import { withHeldSignals } from '../engine/held-signals.ts';
import { reportProcess } from '../engine/report-process.ts';
import type { Child } from '../native/child.ts';
import type { ContainerFolder } from '../state/folder.ts';
import type { ContainerRecord } from '../state/record.ts';
import { writeRecord } from '../state/store.ts';
import type { Undo } from '../core/undo.ts';
import { checkTerminal } from './check-terminal.ts';

/**
 * Creates a container (runtime.md, "Create"): its process exists and waits for `start`. On failure nothing of
 * it is left.
 */
export function create(request: CreateRequest): void {
  const { log, root, noNewKeyring } = request;
  const notifySocket = reachableManager(request.notifySocket, log.warn);
  const prepared = prepareContainer({ ...request, notifySocket }, 'start');
  checkTerminal(prepared.bundle, request.consoleSocket, true);
  const sockets = connectCallerSockets(request.consoleSocket, request.pidfdSocket);
  try {
    const options = { root, gate: 'start', console: sockets.console, noNewKeyring, log } as const;
    withHeldSignals(false, () => {
      createContainer(prepared, options, ({ folder, record, init, undo }) => {
        reportCreated({ folder, record, process: init.process, undo }, request, sockets);
      });
    });
  } finally {
    sockets.close();
  }
}

/** Tells the caller of the process, and the state store that the container exists. */
export function reportCreated(
  created: { folder: ContainerFolder; record: ContainerRecord; process: Child; undo: Undo },
  { pidFile }: Pick<CreateRequest, 'pidFile'>,
  sockets: Pick<CallerSockets, 'pidfd'>,
): void {
  const { folder, record, process: child, undo } = created;
  reportProcess(child, { pidFile, pidfdSocket: sockets.pidfd, payload: 'standard' }, undo);
  record.phase = 'created';
  writeRecord(folder, record);
}
