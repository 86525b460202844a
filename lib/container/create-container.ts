import { runPoststopHooks } from './run-hooks.ts';
import { closeSync } from 'node:fs';
import { nativeError, withSource } from '../core/error.ts';
import { type Sink, tellFrom } from '../core/finding.ts';
import { Undo } from '../core/undo.ts';
import { explainDeath } from '../engine/explain-init-death.ts';
import { type Conversation, receiveMessages } from '../engine/receive-messages.ts';
import { checkPreservedFds, type Init, launchInit, ownStdio } from '../engine/launch-init.ts';
import type { StdioEnds } from '../native/foreground.ts';
import { bindSocket } from '../native/socket.ts';
import { makeNotifyFolder } from '../service/sd-notify.ts';
import { makeContainerFolder } from '../state/make-container-folder.ts';
import { type ContainerFolder, withFolder } from '../state/folder.ts';
import { newRecord } from '../state/new-record.ts';
import { writeStartOps } from '../state/start-ops.ts';
import type { StateRoot } from '../state/state-root.ts';
import { startSocketFile, writeConfig, writeRecord } from '../state/store.ts';
import { answersToInit, type ContainerInit, recordInit } from './answer-init.ts';
import { createContainerCgroups } from './container-cgroups.ts';
import type { PreparedContainer } from './prepare-container.ts';

export interface CreateOptions {
  root: StateRoot;
  /** `start`: the init waits for `tsrun start`. `engine`: it waits for a go on the sync socket. */
  gate: 'start' | 'engine';
  /** Connected socket that gets the terminal. */
  console?: number | undefined;
  /** What the container gets as 0, 1 and 2: tsrun's own, unless given. */
  stdio?: StdioEnds | undefined;
  /** The plan gives it no session keyring of its own. */
  noNewKeyring?: boolean | undefined;
  log: Sink;
}

/** A container whose process waits to execute the user's program. */
export interface CreatedContainer extends ContainerInit {
  conversation: Conversation;
  /** Steps added here are undone with all others when `finish` throws. */
  undo: Undo;
}

/**
 * Creates a container up to the last moment before the user's program runs, and calls `finish` then. When anything
 * fails, in `finish` too, all is undone: no process, cgroup or file stays. The container's lock is held throughout.
 */
export function createContainer<T>(
  prepared: PreparedContainer,
  options: CreateOptions,
  finish: (created: CreatedContainer) => T,
): T {
  checkPreservedFds(prepared.keptFds);
  const undo = new Undo();
  const { warn } = options.log;
  try {
    const result = withSource(
      () => prepared.bundle,
      () => finish(createWithInit(prepared, options, undo)),
    );
    undo.succeed().forEach(warn);
    return result;
  } catch (error) {
    undo.fail().forEach(warn);
    throw error;
  }
}

function createWithInit(prepared: PreparedContainer, options: CreateOptions, undo: Undo): CreatedContainer {
  const { bundle, plan, facts, cgroup } = prepared;
  const warn = tellFrom(() => bundle, options.log.warn);
  const { noNewKeyring = false, stdio = ownStdio } = options;
  const folder = makeContainerFolder(options.root, prepared.id, undo);
  prepared.cacheFilter();
  const record = newRecord({ ...prepared, noNewKeyring, stdio });
  writeFiles(prepared, folder, record);
  undo.onFailure('run its poststop hooks', () => {
    runPoststopHooks(record).forEach(warn);
  });
  createContainerCgroups(prepared, folder, record, warn, undo);

  const init = launchContainerInit(prepared, folder, options, undo);
  record.initImage = init.image;
  const container: ContainerInit = { prepared, folder, record, init };
  // Where others live in the pid namespace process A makes the container itself: `delete --force` must find it.
  if (plan.ops.some(({ op }) => op === 'cloneVisible')) recordInit(container);
  const conversation: Conversation = {
    ...{ init, plan, facts, warn },
    explainDeath: (status) => explainDeath(bundle.config, cgroup, status),
  };
  receiveMessages(conversation, answersToInit(container));
  return { ...container, conversation, undo };
}

function writeFiles(
  { bundle, plan, notifies }: PreparedContainer,
  folder: ContainerFolder,
  record: ContainerInit['record'],
): void {
  writeRecord(folder, record);
  writeConfig(folder, bundle.text);
  writeStartOps(folder, plan);
  if (notifies) makeNotifyFolder(folder);
}

function launchContainerInit(
  { selfJoin, code, keptFds }: PreparedContainer,
  folder: ContainerFolder,
  { gate, console: consoleSocket, stdio }: CreateOptions,
  undo: Undo,
): Init {
  const start = gate === 'start' ? listenForStart(folder) : undefined;
  try {
    return launchInit(
      { plan: code, preserveFds: keptFds, start, console: consoleSocket, cgroup: selfJoin.cloneInto, stdio },
      undo,
    );
  } finally {
    if (start !== undefined) closeSync(start);
  }
}

function listenForStart(folder: ContainerFolder): number {
  try {
    return withFolder(folder, (inside) => bindSocket(inside, startSocketFile));
  } catch (error) {
    throw nativeError(`listen on ${folder.path}/${startSocketFile}`, error);
  }
}
