import { closeSync, ftruncateSync, writeSync } from 'node:fs';
import { cgroupManager } from '../cgroup/cgroup-manager.ts';
import { markCgroups } from '../cgroup/ownership-mark.ts';
import { cgroupOwner } from '../cgroup/delegation.ts';
import { TsrunError, nativeError, withSource } from '../core/error.ts';
import type { Sink, Tell } from '../core/finding.ts';
import { tellFrom } from '../core/finding.ts';
import type { StdioEnds } from '../native/foreground.ts';
import { memfd, sealedMemfd } from '../native/memfd.ts';
import { processStartTime } from '../host/proc.ts';
import { sigkill } from '../host/signals.ts';
import { bindSocket } from '../native/socket.ts';
import { messages, syncPoints } from '../plan/wire.ts';
import type { Op } from '../plan/wire.ts';
import { hasNewNamespace } from '../config/namespaces.ts';
import type { Blueprint } from './prepare-container.ts';
import type { Channel } from '../engine/channel.ts';
import { Child } from '../native/child.ts';
import { Due } from '../engine/due-messages.ts';
import { nextMessage, sendGo } from '../engine/messages.ts';
import type { Received, Subject } from '../engine/messages.ts';
import { hookState, innerHookState } from './hook-state.ts';
import { ownEnvironment, runHooks } from './run-hooks.ts';
import { writeIdMaps } from '../engine/write-id-maps.ts';
import { explainDeath } from '../engine/explain-init-death.ts';
import { lockNewContainer } from '../state/lock-new-container.ts';
import { checkPreservedFds, launchInit, openCgroup, ownStdio } from '../engine/launch-init.ts';
import type { Launched } from '../engine/launch-init.ts';
import { adoptChild, passListener } from '../engine/adopt-child.ts';
import { moveNetDevices } from './move-net-devices.ts';
import { makeNotifyFolder } from '../service/sd-notify.ts';
import { ownerName } from '../state/cgroup-owner-name.ts';
import { runPoststop } from './poststop-hooks.ts';
import type { ContainerRecord, ProcessRef } from '../state/record.ts';
import type { StateRoot } from '../state/state-root.ts';
import { makeStateRoot } from '../state/state-root.ts';
import { joinResctrl } from './join-resctrl.ts';
import { informAgent } from './seccomp-agent.ts';
import { writeStartOps } from '../state/start-ops.ts';
import { containerFolder, withFolder } from '../state/folder.ts';
import { removeFolder, startSocketFile, writeConfig, writeRecord } from '../state/store.ts';
import type { ContainerFolder } from '../state/folder.ts';
import { stdioKeys } from './stdio-keys.ts';
import { timestamp } from '../core/rfc3339.ts';
import { Undo } from '../core/undo.ts';

export interface MakeOptions {
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

/** A container whose process is ready to become the user's. */
export interface Made {
  blueprint: Blueprint;
  folder: ContainerFolder;
  record: ContainerRecord;
  /** The container's first process; until that exists the one that makes it. */
  init: Child;
  sync: Channel;
  /** Memfds that the engine writes the pid into when the init knows it late. */
  states?: readonly number[];
  /** What messages of the init are about. */
  subject: Subject;
  /** Steps added here are undone with all others when `finish` throws. */
  undo: Undo;
}

/**
 * Makes a container by its blueprint, as far as the last moment before the user's program runs, and calls
 * `finish` then. When anything fails, in `finish` too, all is undone: no process, cgroup or file stays. The
 * container's lock is held throughout.
 */
export function makeContainer<T>(blueprint: Blueprint, options: MakeOptions, finish: (made: Made) => T): T {
  checkPreservedFds(blueprint.keptFds);
  const undo = new Undo();
  const { warn } = options.log;
  try {
    const result = withSource(
      () => blueprint.bundle,
      () => finish(build(blueprint, options, undo)),
    );
    undo.succeed().forEach(warn);
    return result;
  } catch (error) {
    undo.fail().forEach(warn);
    throw error;
  }
}

function build(blueprint: Blueprint, options: MakeOptions, undo: Undo): Made {
  const { bundle, facts, plan } = blueprint;
  const warn = tellFrom(() => bundle, options.log.warn);
  const folder = claim(blueprint.id, options.root, undo);
  blueprint.keep();
  const record = newRecord(blueprint, options);
  writeRecord(folder, record);
  writeConfig(folder, bundle.text);
  writeStartOps(folder, plan);
  if (blueprint.notifies) makeNotifyFolder(folder);
  undo.onFailure('run its poststop hooks', () => {
    runPoststop(record).forEach(warn);
  });
  makeCgroups(blueprint, folder, record, warn, undo);

  const { process, sync, image } = launch(blueprint, folder, options, undo);
  const subject: Subject = { op: (index) => plan.ops[index], facts, warn };
  record.initImage = image;
  sync.pidfd = process.pidfd;
  const made: Made = { blueprint, folder, record, init: process, sync, subject, undo };
  // Process A makes the container itself when others live in its pid namespace: `delete --force` must find it.
  if (plan.ops.some(({ op }) => op === 'cloneVisible')) recordInit(made);
  accompany(made);
  return made;
}

export function claim(id: string, root: StateRoot, undo: Undo): ContainerFolder {
  makeStateRoot(root);
  const folder = containerFolder(root.path, id);
  const lock = lockNewContainer(folder);
  undo.always('release its lock', () => {
    lock.release();
  });
  undo.onFailureIfUndone('remove its folder', () => {
    removeFolder(folder);
  });
  return folder;
}

export function newRecord(
  { id, bundle, rootfs, facts, cgroup }: Blueprint,
  { noNewKeyring = false, stdio = ownStdio }: Pick<MakeOptions, 'noNewKeyring' | 'stdio'>,
): ContainerRecord {
  const { ociVersion, annotations, hooks, linux, process: program } = bundle.config;
  return {
    version: 1,
    ociVersion,
    id,
    bundle: bundle.directory,
    rootfs,
    created: timestamp(),
    owner: facts.uid,
    ...(annotations === undefined ? {} : { annotations }),
    phase: 'creating',
    runtime: refer(process.pid),
    cgroup,
    ownsCgroup: false,
    ownPids: hasNewNamespace(linux, 'pid'),
    ...(noNewKeyring ? { noNewKeyring } : {}),
    ...(program?.terminal === true ? {} : { stdio: stdioKeys(stdio) }),
    hooks: {
      ...(hooks?.poststart === undefined ? {} : { poststart: hooks.poststart }),
      ...(hooks?.poststop === undefined ? {} : { poststop: hooks.poststop }),
    },
  };
}

/** A process that cannot have been reaped yet, so it has a start time. */
export function refer(pid: number): ProcessRef {
  const startTime = processStartTime(pid);
  if (startTime === undefined) {
    throw new TsrunError('system', `/proc/${pid}/stat cannot be read`, {
      hint: 'tsrun needs the procfs of its own pid namespace on /proc',
    });
  }
  return { pid, startTime };
}

export function makeCgroups(
  { bundle, cgroup }: Blueprint,
  folder: ContainerFolder,
  record: ContainerRecord,
  warn: Tell,
  undo: Undo,
): void {
  const manager = cgroupManager(cgroup);
  const owner = ownerName(record, folder);
  manager.create();
  const mark = markCgroups(cgroup, owner);
  if (mark !== undefined) record.cgroup = { ...cgroup, mark };
  undo.onFailure('remove its cgroups', () => {
    manager.kill(sigkill);
    manager.remove();
  });
  record.ownsCgroup = true;
  writeRecord(folder, record);
  manager.apply(bundle.config.linux?.resources).forEach(warn);
  const uid = cgroupOwner(bundle.config);
  if (uid !== undefined) manager.delegate(uid);
}

/** Starts process A of the init. */
function launch(
  blueprint: Blueprint,
  folder: ContainerFolder,
  options: MakeOptions,
  undo: Undo,
): { process: Child; sync: Channel; image: string } {
  const start = options.gate === 'start' ? listenForStart(folder) : undefined;
  let cgroup: number | undefined;
  let launched: Launched;
  try {
    cgroup = openCgroup(blueprint.selfJoin.cloneInto);
    launched = launchInit({
      plan: blueprint.code,
      preserveFds: blueprint.keptFds,
      start,
      console: options.console,
      cgroup,
      stdio: options.stdio,
    });
  } finally {
    if (start !== undefined) closeSync(start);
    if (cgroup !== undefined) closeSync(cgroup);
  }
  const { sync, image } = launched;
  const process = new Child(launched.process.pid, launched.process.pidfd);
  undo.always('put away process A', () => {
    sync.close();
    process.close();
  });
  undo.onFailure('end process A', () => {
    process.kill();
  });
  return { process, sync, image };
}

function listenForStart(folder: ContainerFolder): number {
  try {
    return withFolder(folder, (inside) => bindSocket(inside, startSocketFile));
  } catch (error) {
    throw nativeError(`listen on ${folder.path}/${startSocketFile}`, error);
  }
}

/**
 * Does what only the engine can do, whenever the init asks for it, until it is ready. Others may speak in the name of
 * a process that they can trace (lib/plan/visible-clone.ts), so each thing is done once, and when it is due.
 */
function accompany(made: Made): void {
  const { blueprint, sync, subject } = made;
  const { config } = blueprint.bundle;
  const due = new Due(blueprint.plan);
  for (;;) {
    const message = nextMessage(sync, subject);
    if (message === undefined) {
      throw explainDeath(config, blueprint.cgroup, made.init.end());
    }
    due.take(message);
    switch (message.type) {
      case messages.waiting:
        return;
      case messages.pid:
        goOnWith(made, message);
        break;
      case messages.listener:
        informOf(made, message);
        break;
      default:
        if (message.value === syncPoints.ready) return;
        answerSync(made, message.value);
    }
  }
}

function answerSync(made: Made, point: number): void {
  switch (point) {
    case syncPoints.setup:
      setUp(made);
      break;
    case syncPoints.entered:
      rewriteStates(made);
      break;
    case syncPoints.hooks:
      runRuntimeHooks(made);
      sendGo(made.sync);
  }
}

function informOf({ blueprint: { bundle }, record, sync, init }: Made, message: Received): void {
  passListener(message, { channel: sync, init }, (listener) => {
    informAgent(bundle.config, hookState(record, 'creating'), init.pid, listener);
  });
  // It goes on once the agent knows.
  sendGo(sync);
}

/** The init goes on in the process that `message` names: each is recorded, so that `delete --force` finds it. */
function goOnWith(made: Made, message: Received): void {
  const before = made.init;
  made.init = adoptChild(message, made.undo);
  made.sync.pidfd = made.init.pidfd;
  const { bundle, cgroup } = made.blueprint;
  if (made.init.status !== undefined) {
    // It has ended, and may have said why. It cannot be asked for more: its pid is free.
    nextMessage(made.sync, made.subject);
    throw explainDeath(bundle.config, cgroup, made.init.status);
  }
  recordInit(made);
  // It has said all it has to say, and is ending.
  before.end();
}

function recordInit({ folder, record, init }: Made): void {
  record.init = refer(init.pid);
  writeRecord(folder, record);
}

function setUp(made: Made): void {
  const { blueprint, folder, record, init, undo } = made;
  const { bundle, facts } = blueprint;
  const { linux } = bundle.config;
  writeIdMaps(init.pid, linux, facts);
  moveNetDevices(init.pid, linux, undo);
  joinResctrl(init.pid, linux, folder, record, undo);
  sendStates(made);
}

/** Sends `go`, with what the init's hooks read on stdin when it has any. */
function sendStates(made: Made): void {
  const { createContainer = [], startContainer = [] } = made.blueprint.bundle.config.hooks ?? {};
  if (createContainer.length + startContainer.length === 0) {
    sendGo(made.sync);
    return;
  }
  const isLate = made.blueprint.plan.ops.some(isEntered);
  const states = stateTexts(made).map((text) => (isLate ? memfd('state') : sealedMemfd('state', text)));
  made.undo.always('close the states of its hooks', () => {
    states.forEach((fd) => {
      closeSync(fd);
    });
  });
  made.states = states;
  if (isLate) writeStates(made);
  sendGo(made.sync, states);
}

/** The init knows only now which pid its hooks are to read. */
function rewriteStates(made: Made): void {
  writeStates(made);
  sendGo(made.sync);
}

function isEntered(op: Op): boolean {
  return op.op === 'sync' && op.point === syncPoints.entered;
}

function stateTexts({ record }: Made): Buffer[] {
  return (['creating', 'created'] as const).map((status) =>
    Buffer.from(JSON.stringify(innerHookState(record, status))),
  );
}

function writeStates(made: Made): void {
  stateTexts(made).forEach((text, index) => {
    const fd = made.states?.[index];
    if (fd === undefined) return;
    ftruncateSync(fd);
    writeSync(fd, text, 0, text.length, 0);
  });
}

/** The deprecated prestart hooks were made for a time when the container was called created by then. */
export function runRuntimeHooks({
  blueprint: { bundle },
  record,
  init,
}: Pick<Made, 'blueprint' | 'record' | 'init'>): void {
  const env = ownEnvironment();
  const hooks = bundle.config.hooks;
  runHooks('prestart', hooks?.prestart, { state: hookState(record, 'created'), env, init: init.pidfd });
  runHooks('createRuntime', hooks?.createRuntime, {
    state: hookState(record, 'creating'),
    env,
    init: init.pidfd,
  });
}
