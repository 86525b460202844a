import { closeSync } from 'node:fs';
import { withSource } from '../core/error.ts';
import { tellFrom } from '../core/finding.ts';
import { Undo } from '../core/undo.ts';
import { foreground } from '../native/foreground.ts';
import { socketPair } from '../native/socket.ts';
import { checkTerminal } from '../container/check-terminal.ts';
import { reportCreated } from '../container/create.ts';
import { createContainerCgroups } from '../container/container-cgroups.ts';
import type { CreateRequest } from '../container/create-request.ts';
import { refuseTracersOfRestore } from '../container/refuse-tracers.ts';
import { prepareContainer, type PreparedContainer } from '../container/prepare-container.ts';
import { ownEnvironment, runPoststopHooks } from '../container/run-hooks.ts';
import { runInForeground } from '../container/run-in-foreground.ts';
import { connectCallerSockets } from '../engine/caller-sockets.ts';
import { type ProcessHandles, openProcessHandles } from '../engine/process-handles.ts';
import { ownStdio } from '../engine/launch-init.ts';
import { StdioPipes } from '../engine/stdio-pipes.ts';
import { makeNotifyFolder } from '../service/sd-notify.ts';
import { reportReady } from '../service/sd-notify-relay.ts';
import type { ContainerRecord } from '../state/record.ts';
import { makeContainerFolder } from '../state/make-container-folder.ts';
import { newRecord } from '../state/new-record.ts';
import { writeConfig, writeRecord } from '../state/store.ts';
import { findCriu } from './criu/program.ts';
import { openFolders } from './image-folders.ts';
import { type RestoreFlags, restoreProcesses } from './restore-processes.ts';
import { closeAll } from '../host/filesystem.ts';

/** What `restore` is asked for. Paths are relative to the working directory unless absolute. */
export interface RestoreRequest extends CreateRequest, RestoreFlags {
  /** Return as soon as the processes run. */
  detach?: boolean | undefined;
  /** Leave orphans of the container to the host's init. */
  noSubreaper?: boolean | undefined;
}

/**
 * Restores a container from the images of `checkpoint` and its bundle. Detached, returns 0 once its processes run.
 * Otherwise waits for the first one as `run` does, deletes the container and returns the exit status: 0–255, or
 * 128 + signal. On failure nothing of the container is left.
 *
 * @throws TsrunError as `create` does; 'unsupported' without a criu that can restore it; 'system' when criu fails
 */
export function restore(request: RestoreRequest): number {
  const { detach = false, log } = request;
  if (detach) {
    const { pid, pidfd } = restoreContainer(request);
    closeSync(pidfd);
    reportReady(request.notifySocket, pid, true, log.warn);
    return 0;
  }
  return runInForeground(
    request,
    () => {
      const restored = restoreContainer(request);
      reportReady(request.notifySocket, process.pid, false, log.warn);
      return restored;
    },
    ({ pid, pidfd, master, pipes }) => {
      try {
        return foreground(pidfd, pid, master, undefined, pipes?.ours);
      } finally {
        closeSync(pidfd);
      }
    },
  );
}

interface Restored extends ProcessHandles {
  record: ContainerRecord;
  pipes: StdioPipes | undefined;
}

function restoreContainer(request: RestoreRequest): Restored {
  const prepared = prepareContainer(request, 'engine');
  return withSource(
    () => prepared.bundle,
    () => restoreFrom(prepared, request),
  );
}

function restoreFrom(prepared: PreparedContainer, request: RestoreRequest): Restored {
  const { bundle } = prepared;
  const { detach = false } = request;
  const warn = tellFrom(() => bundle, request.log.warn);
  if (prepared.keptFds > 0) warn({ reason: 'LISTEN_FDS is ignored: restore passes no descriptors on' });
  checkTerminal(bundle, request.consoleSocket, detach);
  refuseTracersOfRestore(bundle.config);
  const criu = findCriu(ownEnvironment());
  const folders = openFolders(request, false);
  const sockets = connectCallerSockets(request.consoleSocket, request.pidfdSocket);
  const hasTerminal = bundle.config.process?.terminal === true;
  const terminal = !detach && hasTerminal ? socketPair() : undefined;
  const pipes = !detach && !hasTerminal ? StdioPipes.open() : undefined;
  const [ours, theirs] = terminal ?? [];
  const undo = new Undo();
  try {
    const folder = makeContainerFolder(request.root, prepared.id, undo);
    const record = newRecord({ ...prepared, noNewKeyring: false, stdio: pipes?.theirs ?? ownStdio });
    writeRecord(folder, record);
    writeConfig(folder, bundle.text);
    // Needed without a service manager, too: criu wants the source of the mount that a container created for one has.
    makeNotifyFolder(folder);
    undo.onFailure('run its poststop hooks', () => {
      runPoststopHooks(record).forEach(warn);
    });
    createContainerCgroups(prepared, folder, record, warn, undo);
    const init = restoreProcesses({
      prepared,
      folder,
      record,
      undo,
      warn,
      criu,
      folders,
      flags: request,
      console: theirs ?? sockets.console,
      stdio: pipes?.theirs ?? ownStdio,
      ready: (restored) => {
        reportCreated({ folder, record, process: restored, undo }, request, sockets);
      },
    });
    const running = openProcessHandles(init.pid, ours, undo);
    undo.succeed().forEach(warn);
    return { ...running, record, pipes };
  } catch (error) {
    pipes?.closeOurs();
    undo.fail().forEach(warn);
    throw error;
  } finally {
    pipes?.closeTheirs();
    closeAll(terminal);
    sockets.close();
    folders.close();
  }
}
