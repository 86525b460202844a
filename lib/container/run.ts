import { closeSync } from 'node:fs';
import { foreground } from '../native/foreground.ts';
import { socketPair } from '../native/socket.ts';
import type { Sink } from '../core/finding.ts';
import { runInForeground } from './run-in-foreground.ts';
import { prepareContainer, type PreparedContainer } from './prepare-container.ts';
import { reportCreated } from './create.ts';
import { deleteAfterFailure } from './delete.ts';
import { executeProgram } from '../engine/receive-messages.ts';
import { withHeldSignals } from '../engine/held-signals.ts';
import { containerFolder } from '../state/folder.ts';
import { createContainer } from './create-container.ts';
import { reachableManager } from '../service/sd-notify.ts';
import { NotifyRelay } from '../service/sd-notify-relay.ts';
import type { ContainerRecord } from '../state/record.ts';
import type { CreateRequest } from './create-request.ts';
import { type ProcessHandles, openProcessHandles } from '../engine/process-handles.ts';
import { connectCallerSockets } from '../engine/caller-sockets.ts';
import { runPoststart, waitUntilReady } from './start.ts';
import { StdioPipes } from '../engine/stdio-pipes.ts';
import { checkTerminal } from './check-terminal.ts';
import { closeAll } from '../host/filesystem.ts';

export interface RunRequest extends CreateRequest {
  /** Return as soon as the process runs. */
  detach?: boolean | undefined;
  /** Do not delete the container when its process has ended. */
  keep?: boolean | undefined;
  /** Leave orphans of the container to the host's init. */
  noSubreaper?: boolean | undefined;
}

/**
 * Creates a container and lets its process run. Detached, returns 0 then. Otherwise waits for the process,
 * forwards signals and the terminal, deletes the container and returns the exit status: 0–255, or
 * 128 + signal.
 */
export function run(request: RunRequest): number {
  const { log, detach = false } = request;
  if (detach) {
    const { process: running, record, relay } = createAndStart(request);
    closeSync(running.pidfd);
    if (relay !== undefined) waitUntilReady(relay, record, log);
    return 0;
  }
  return runInForeground(
    request,
    () => createAndStart(request),
    (started) => waitForEnd(started, log),
  );
}

interface StartedContainer {
  process: ProcessHandles;
  record: ContainerRecord;
  relay: NotifyRelay | undefined;
  pipes: StdioPipes | undefined;
}

/** Waits until the container has ended; returns its exit status. */
function waitForEnd(
  { process: { pid, pidfd, master }, relay, pipes }: StartedContainer,
  { warn }: Sink,
): number {
  try {
    return foreground(pidfd, pid, master, relay && { ...relay.sockets, failed: warn }, pipes?.ours);
  } finally {
    closeSync(pidfd);
    relay?.close();
  }
}

function createAndStart(request: RunRequest): StartedContainer {
  const { root, id, log, detach = false, noNewKeyring } = request;
  const notifySocket = reachableManager(request.notifySocket, log.warn);
  const prepared = prepareContainer({ ...request, notifySocket }, 'engine');
  checkTerminal(prepared.bundle, request.consoleSocket, detach);
  const sockets = connectCallerSockets(request.consoleSocket, request.pidfdSocket);
  const consolePair = !detach && hasTerminal(prepared) ? socketPair() : undefined;
  const pipes = !detach && !hasTerminal(prepared) ? StdioPipes.open() : undefined;
  const [ours, theirs] = consolePair ?? [];
  try {
    const options = {
      root,
      gate: 'engine',
      console: theirs ?? sockets.console,
      stdio: pipes?.theirs,
      noNewKeyring,
      log,
    } as const;
    const started = withHeldSignals(!detach, () =>
      createContainer(prepared, options, ({ folder, record, init, conversation, undo }) => {
        reportCreated({ folder, record, process: init.process, undo }, request, sockets);
        const relay = NotifyRelay.open(folder, notifySocket);
        undo.onFailure('close its notify socket', () => relay?.close());
        const running = openProcessHandles(init.process.pid, ours, undo);
        executeProgram(conversation);
        return { process: running, record, relay, pipes };
      }),
    );
    runPoststart(
      started.record,
      () => prepared.bundle,
      () => {
        const { pidfd, master } = started.process;
        closeSync(pidfd);
        if (master >= 0) closeSync(master);
        started.relay?.close();
        deleteAfterFailure(containerFolder(root.path, id), started.record, log.warn);
      },
    );
    return started;
  } catch (error) {
    pipes?.closeOurs();
    throw error;
  } finally {
    pipes?.closeTheirs();
    closeAll(consolePair);
    sockets.close();
  }
}

function hasTerminal({ bundle }: PreparedContainer): boolean {
  return bundle.config.process?.terminal === true;
}
