import { closeSync } from 'node:fs';
import { TsrunError } from '../core/error.ts';
import { foreground } from '../native/foreground.ts';
import { socketPair } from '../native/socket.ts';
import type { Sink } from '../core/finding.ts';
import { attend } from './run-in-foreground.ts';
import { draw } from './prepare-container.ts';
import type { Blueprint } from './prepare-container.ts';
import { announce } from './create.ts';
import { deleteAfterFailure } from './delete.ts';
import { lastMessage, sendGo } from '../engine/messages.ts';
import { endedAsInit, hasLeftInit } from '../engine/init-left.ts';
import { containerFolder } from '../state/folder.ts';
import { explainDeath } from '../engine/explain-init-death.ts';
import { makeContainer } from './create-container.ts';
import type { Made } from './create-container.ts';
import { reachableManager } from '../service/sd-notify.ts';
import { NotifyRelay } from '../service/sd-notify-relay.ts';
import type { ContainerRecord } from '../state/record.ts';
import type { CreateRequest } from './create-request.ts';
import { takeRunning } from '../engine/foreground-process.ts';
import type { Running } from '../engine/foreground-process.ts';
import { connectCallerSockets } from '../engine/caller-sockets.ts';
import { runPoststart, waitUntilReady } from './start.ts';
import { StdioPipes } from '../engine/stdio-pipes.ts';
import { checkTerminal } from './check-terminal.ts';

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
    const { running, record, relay } = begin(request);
    closeSync(running.pidfd);
    if (relay !== undefined) waitUntilReady(relay, record, log);
    return 0;
  }
  return attend(
    request,
    () => begin(request),
    (begun) => stay(begun, log),
  );
}

interface Begun {
  running: Running;
  record: ContainerRecord;
  relay: NotifyRelay | undefined;
  pipes: StdioPipes | undefined;
}

/** Until the container has ended; returns its exit status. */
function stay({ running: { pid, pidfd, master }, relay, pipes }: Begun, { warn }: Sink): number {
  try {
    return foreground(pidfd, pid, master, relay && { ...relay.sockets, failed: warn }, pipes?.ours);
  } finally {
    closeSync(pidfd);
    relay?.close();
  }
}

function begin(request: RunRequest): Begun {
  const { root, id, log, detach = false, noNewKeyring } = request;
  const notifySocket = reachableManager(request.notifySocket, log.warn);
  const blueprint = draw({ ...request, notifySocket }, 'engine');
  checkTerminal(blueprint.bundle, request.consoleSocket, detach);
  const sockets = connectCallerSockets(request.consoleSocket, request.pidfdSocket);
  const relay = !detach && hasTerminal(blueprint) ? socketPair() : undefined;
  const pipes = !detach && !hasTerminal(blueprint) ? StdioPipes.open() : undefined;
  const [ours, theirs] = relay ?? [];
  try {
    const options = {
      root,
      gate: 'engine',
      console: theirs ?? sockets.console,
      stdio: pipes?.theirs,
      noNewKeyring,
      log,
    } as const;
    const begun = makeContainer(blueprint, options, (made) => {
      announce(made, request, sockets);
      const relay = NotifyRelay.open(made.folder, notifySocket);
      made.undo.onFailure('close its notify socket', () => relay?.close());
      const running = takeRunning(made, ours);
      execute(made);
      return { running, record: made.record, relay, pipes };
    });
    runPoststart(
      begun.record,
      () => blueprint.bundle,
      () => {
        const { pidfd, master } = begun.running;
        closeSync(pidfd);
        if (master >= 0) closeSync(master);
        begun.relay?.close();
        deleteAfterFailure(containerFolder(root.path, id), begun.record, log.warn);
      },
    );
    return begun;
  } catch (error) {
    pipes?.closeOurs();
    throw error;
  } finally {
    pipes?.closeTheirs();
    relay?.forEach((fd) => {
      closeSync(fd);
    });
    sockets.close();
  }
}

function hasTerminal({ bundle }: Blueprint): boolean {
  return bundle.config.process?.terminal === true;
}

/** Lets the init go on and waits until it is the user's program: its socket closes at execve(2). */
function execute({ blueprint: { bundle, cgroup }, record, sync, subject, init }: Made): void {
  sendGo(sync);
  const message = lastMessage(sync, subject, () => hasLeftInit(init.pid, record.initImage));
  if (message !== undefined) {
    throw new TsrunError('internal', `the init sent a message of type ${message.type} out of turn`);
  }
  if (endedAsInit(init.pid, record.initImage)) throw explainDeath(bundle.config, cgroup, init.end());
}
