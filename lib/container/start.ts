import { closeSync } from 'node:fs';
import { TsrunError, fileError, systemError, withSource } from '../core/error.ts';
import { connectSocket } from '../native/socket.ts';
import { type Sink, type Tell, tellFrom } from '../core/finding.ts';
import { deniedToInit } from '../seccomp/init-needs.ts';
import type { Document } from '../core/source.ts';
import { Channel } from '../engine/channel.ts';
import { deleteAfterFailure } from './delete.ts';
import { awaitExecve } from '../engine/receive-messages.ts';
import { withHeldSignals } from '../engine/held-signals.ts';
import { endedBeforeExecve, executedOrEnded } from '../engine/execve-state.ts';
import { type Container, findContainer, findFolder } from '../state/find-container.ts';
import { isPaused } from '../state/status.ts';
import { hookState } from './hook-state.ts';
import { seccompHint } from '../engine/explain-init-death.ts';
import { ownEnvironment, runHooks } from './run-hooks.ts';
import { lockContainer } from '../state/lock.ts';
import { reachableManager } from '../service/sd-notify.ts';
import { NotifyRelay } from '../service/sd-notify-relay.ts';
import { waitForEnd, signalProcess } from '../state/process.ts';
import type { ContainerRecord, ProcessRef } from '../state/record.ts';
import type { StateRoot } from '../state/state-root.ts';
import { readStartOp } from '../state/start-ops.ts';
import { startSocketFile, storedConfig } from '../state/store.ts';
import { removeStored } from '../state/store-files.ts';
import { type ContainerFolder, withFolder } from '../state/folder.ts';
import { sigkill } from '../host/signals.ts';
import { readStoredConfig } from '../state/stored-config.ts';

export interface StartRequest {
  root: StateRoot;
  id: string;
  log: Sink;
  /** Socket of the service manager that is to know when the container is ready (sd_notify(3)). */
  notifySocket?: string | undefined;
}

/**
 * Starts a created container (runtime.md, "Start"). Returns when execve(2) has succeeded and the poststart hooks have
 * run; for a service manager it also waits until the container is ready or has ended.
 * @throws TsrunError what kept the program from running, and the container has stopped; or 'hook' of a poststart hook,
 *   and the container is destroyed
 */
export function start(request: StartRequest): void {
  const { record, relay } = startUnderLock(request);
  if (relay !== undefined) waitUntilReady(relay, record, request.log);
}

interface Started {
  record: ContainerRecord;
  relay: NotifyRelay | undefined;
}

function startUnderLock({ root, id, log: { warn }, notifySocket }: StartRequest): Started {
  const folder = findFolder(root, id);
  const lock = lockContainer(folder);
  let started: Started;
  try {
    const found = findContainer(root, id);
    checkStartable(found);
    const { record } = found;
    started = { record, relay: NotifyRelay.open(folder, reachableManager(notifySocket, warn)) };
    closeOnError(started, () => {
      executeProgram(folder, record, warn);
    });
  } finally {
    lock.release();
  }
  // Without the lock: a hook may call tsrun for the container.
  closeOnError(started, ({ record }) => {
    runPoststart(
      record,
      () => storedConfig(folder),
      () => {
        deleteAfterFailure(folder, record, warn);
      },
    );
  });
  return started;
}

function closeOnError(started: Started, step: (started: Started) => void): void {
  try {
    step(started);
  } catch (error) {
    started.relay?.close();
    throw error;
  }
}

/** Waits until the container is ready or has ended; must not hold the lock, since that may take long. */
export function waitUntilReady(relay: NotifyRelay, { init }: ContainerRecord, { warn }: Sink): void {
  try {
    if (init !== undefined) relay.waitUntilReady(init, warn);
  } finally {
    relay.close();
  }
}

/** Runs the poststart hooks. When one fails, the container is destroyed and the failure thrown (runtime.md). */
export function runPoststart(record: ContainerRecord, sourceOf: () => Document, end: () => void): void {
  const hooks = record.hooks?.poststart;
  if (hooks === undefined || hooks.length === 0) return;
  try {
    withSource(sourceOf, () => {
      runHooks('poststart', hooks, { state: hookState(record, 'running'), env: ownEnvironment() });
    });
  } catch (error) {
    end();
    throw error;
  }
}

function checkStartable(container: Container): void {
  const { status } = container;
  if (status === 'created' && !isPaused(container)) return;
  if (status === 'running') throw new TsrunError('state', 'cannot start an already running container');
  if (status === 'stopped') throw new TsrunError('state', 'cannot start a container that has stopped');
  const word = status === 'created' ? 'paused' : status;
  throw new TsrunError('state', `cannot start a container in the ${word} state`);
}

/** Connects to the init, which executes the program then. */
function executeProgram(folder: ContainerFolder, record: ContainerRecord, warn: Tell): void {
  const socket = withFolder(folder, (inside) => connectSocket(inside, startSocketFile));
  if (socket < 0) {
    throw systemError(`reach the process of container ${folder.id}`, socket, {
      hint: 'it may have been started by a tsrun that was killed; tsrun state shows what it is now',
    });
  }
  try {
    const subject = {
      op: (index: number) => readStartOp(folder, index),
      warn: tellFrom(() => storedConfig(folder), warn),
    };
    const channel = new Channel(socket, { mayUsePipes: false });
    const { init, initImage } = record;
    withSource(
      () => storedConfig(folder),
      () => {
        withHeldSignals(false, () => {
          awaitExecve(channel, subject, () => init !== undefined && executedOrEnded(init.pid, initImage));
        });
      },
    );
  } catch (error) {
    if (record.init !== undefined) endInit(record.init, error);
    throw error;
  } finally {
    closeSync(socket);
    removeStartSocket(folder);
  }
  const { init, initImage } = record;
  if (init === undefined) return;
  if (endedBeforeExecve(init.pid, initImage)) {
    throw new TsrunError('init', 'the container was killed before its process could run', {
      hint: whoKilled(folder),
    });
  }
  if (!executedOrEnded(init.pid, initImage)) {
    throw new TsrunError('init', 'the process of the container has not become its program', {
      hint: 'somebody else has taken the connection of tsrun, or has stopped the process: delete the container',
    });
  }
}

/** Waits for the end of an init that has failed, so that the container's status is `stopped`. */
function endInit(init: ProcessRef, error: unknown): void {
  // After any other error it is ending.
  if (error instanceof TsrunError && error.code === 'interrupted') signalProcess(init, sigkill);
  waitForEnd(init);
}

function whoKilled(folder: ContainerFolder): string {
  const config = readStoredConfig(folder);
  return deniedToInit(config).length > 0
    ? seccompHint(config)
    : 'by its memory limit, by its seccomp profile, or by somebody';
}

function removeStartSocket(folder: ContainerFolder): void {
  try {
    removeStored(folder, startSocketFile);
  } catch (error) {
    throw fileError(`remove ${folder.path}/${startSocketFile}`, error);
  }
}
