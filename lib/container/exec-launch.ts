import { closeSync } from 'node:fs';
import { TsrunError } from '../core/error.ts';
import { waitPidfd } from '../native/pidfd.ts';
import { holdSignals, releaseSignals } from '../native/foreground.ts';
import type { StdioEnds } from '../native/foreground.ts';
import { sendDescriptor, socketPair } from '../native/socket.ts';
import type { Plan } from '../plan/types.ts';
import { messages } from '../plan/wire.ts';
import { signalName } from '../host/signals.ts';
import type { Config } from '../config/types.ts';
import type { Channel } from '../engine/channel.ts';
import { Child } from '../native/child.ts';
import { Due } from '../engine/due-messages.ts';
import { lastMessage, nextMessage, sendGo } from '../engine/messages.ts';
import type { Subject } from '../engine/messages.ts';
import { endedAsInit, hasLeftInit } from '../engine/init-left.ts';
import { endedBySeccomp, seccompHint } from '../engine/explain-init-death.ts';
import { launchInit, openCgroup } from '../engine/launch-init.ts';
import type { Launched } from '../engine/launch-init.ts';
import { adoptChild, passListener, unexpectedMessage } from '../engine/adopt-child.ts';
import { removePidFile, writePidFile } from '../engine/pid-file.ts';
import { takeRunning } from '../engine/foreground-process.ts';
import type { Running } from '../engine/foreground-process.ts';
import type { Undo } from '../core/undo.ts';

/** What is needed to run a process in a container, once everything is decided. */
export interface ExecLaunch {
  plan: Plan;
  /** The container's, with the process that is run. */
  config: Config;
  /** The plan as the init reads it. */
  code: Uint8Array;
  /** Descriptors from 3 on that the process keeps. */
  keptFds: number;
  /** Directory of the cgroup v2 it is cloned into. */
  cgroup: string | undefined;
  /** pidfd of the container's first process. */
  container: number;
  /** What it gets as 0, 1 and 2: tsrun's own, unless given. */
  stdio: StdioEnds | undefined;
  /** It has a terminal, and we hold the other end. */
  holdsTerminal: boolean;
  /** We wait for its end. */
  foreground: boolean;
  /** The caller's connected sockets. */
  consoleSocket: number | undefined;
  pidfdSocket: number | undefined;
  pidFile: string | undefined;
  /** What messages of the init are about. */
  subject: Omit<Subject, 'op'>;
  /** Gives the listener of the process's filter to its agent. */
  inform: (pid: number, listener: number) => void;
}

/**
 * Starts the process and returns when it is the user's program. What is made is undone by `undo`, with which
 * the caller ends.
 */
export function launchExec(launch: ExecLaunch, undo: Undo): Running {
  const { plan } = launch;
  const [ours, theirs] = launch.holdsTerminal ? consoleSockets(undo) : [undefined, launch.consoleSocket];
  const { sync, image, process } = startFirst(launch, theirs, undo);
  const subject: Subject = { ...launch.subject, op: (index) => plan.ops[index] };
  const init = awaitReady(sync, subject, process, launch, undo);
  announce(init, launch, undo);
  const running = takeRunning({ init, undo }, ours);
  if (launch.foreground) {
    holdSignals();
    undo.onFailure('restore signals', releaseSignals);
  }
  sendGo(sync);
  const last = lastMessage(sync, subject, () => hasLeftInit(init.pid, image));
  if (last !== undefined) throw unexpectedMessage(last.type);
  if (endedAsInit(init.pid, image)) throw explainEnd(init.end(), launch);
  return running;
}

/** Until all is done but what follows `go`. Returns process B. */
function awaitReady(sync: Channel, subject: Subject, first: Child, launch: ExecLaunch, undo: Undo): Child {
  let init = first;
  sync.pidfd = first.pidfd;
  const due = new Due(launch.plan);
  for (;;) {
    const message = nextMessage(sync, subject);
    if (message === undefined) throw explainEnd(init.end(), launch);
    due.take(message);
    switch (message.type) {
      case messages.sync:
        return init;
      case messages.pid: {
        const next = adoptChild(message, undo);
        // It has said all it has to say, and is ending.
        init.end();
        init = next;
        sync.pidfd = next.pidfd;
        break;
      }
      default: {
        const { pid } = init;
        passListener(message, { channel: sync, init }, (listener) => {
          launch.inform(pid, listener);
        });
        sendGo(sync);
      }
    }
  }
}

function consoleSockets(undo: Undo): [number, number] {
  const pair = socketPair();
  undo.always('close the console sockets', () => {
    pair.forEach((fd) => {
      closeSync(fd);
    });
  });
  return pair;
}

/** Process A. */
function startFirst(
  { code, keptFds, cgroup, container, stdio }: ExecLaunch,
  consoleSocket: number | undefined,
  undo: Undo,
): Omit<Launched, 'process'> & { process: Child } {
  const directory = openCgroup(cgroup);
  try {
    const launched = launchInit({
      plan: code,
      preserveFds: keptFds,
      console: consoleSocket,
      cgroup: directory,
      container,
      stdio,
    });
    const process = new Child(launched.process.pid, launched.process.pidfd);
    undo.always('put away process A', () => {
      launched.sync.close();
      process.close();
    });
    undo.onFailure('end process A', () => {
      process.kill();
    });
    return { ...launched, process };
  } finally {
    if (directory !== undefined) closeSync(directory);
  }
}

/** Tells the caller of the process. */
function announce(init: Child, { pidFile, pidfdSocket }: ExecLaunch, undo: Undo): void {
  if (pidfdSocket !== undefined) sendDescriptor(pidfdSocket, 'setns', init.pidfd);
  if (pidFile === undefined) return;
  writePidFile(pidFile, init.pid);
  undo.onFailure('remove its pid file', () => {
    removePidFile(pidFile);
  });
}

const killed = 128 + 9;

/** A process that dies with its pid namespace is gone a moment before the first one of that is. */
const endingMs = 500;

/** The init ended without a word: something killed it. */
function explainEnd(status: number, { container, config }: ExecLaunch): TsrunError {
  if (status === killed) waitPidfd(container, endingMs);
  const how = status > 128 ? `was killed by ${signalName(status - 128)}` : `ended with status ${status}`;
  return new TsrunError('init', `the process ${how} before its program could run`, {
    hint: endedBySeccomp(status) ? seccompHint(config) : 'the container may have reached its memory limit',
  });
}
