import { closeSync } from 'node:fs';
import type { Config } from '../config/types.ts';
import { TsrunError, withSource } from '../core/error.ts';
import { type Sink, tellFrom } from '../core/finding.ts';
import { Undo } from '../core/undo.ts';
import { type CallerSockets, connectCallerSockets } from '../engine/caller-sockets.ts';
import { endedBySeccomp, howItEnded, seccompHint } from '../engine/explain-init-death.ts';
import { type Conversation, executeProgram, receiveMessages, notInPlan } from '../engine/receive-messages.ts';
import { type ProcessHandles, openProcessHandles } from '../engine/process-handles.ts';
import { withHeldSignals } from '../engine/held-signals.ts';
import { launchInit } from '../engine/launch-init.ts';
import { reportProcess } from '../engine/report-process.ts';
import { StdioPipes } from '../engine/stdio-pipes.ts';
import { isAliveAndNotExiting } from '../host/proc.ts';
import { foreground, holdSignals, releaseSignals } from '../native/foreground.ts';
import { waitPidfd } from '../native/pidfd.ts';
import { socketPair } from '../native/socket.ts';
import { type Container, findContainer } from '../state/find-container.ts';
import { isPaused } from '../state/status.ts';
import { withPidfd } from '../state/process.ts';
import type { ProcessRef } from '../state/record.ts';
import { checkExecTerminal } from './check-terminal.ts';
import { type ExecPlan, type ExecPlanRequest, prepareExec } from './exec-plan.ts';
import { type ProcessRequest, readExecProcess } from './exec-process.ts';
import { hookState } from './hook-state.ts';
import { informAgent } from './seccomp-agent.ts';
import { closeAll } from '../host/filesystem.ts';

/** What `exec` is asked for. Paths are relative to the working directory unless absolute. */
export interface ExecRequest extends ExecPlanRequest {
  id: string;
  log: Sink;
  process: ProcessRequest;
  /** Return as soon as the process runs. */
  detach?: boolean | undefined;
  /** File for the pid of the process. */
  pidFile?: string | undefined;
  /** AF_UNIX stream sockets that get the terminal's master, and a pidfd of the process. */
  consoleSocket?: string | undefined;
  pidfdSocket?: string | undefined;
  /** Also in a paused container: the process starts when that is resumed. */
  ignorePaused?: boolean | undefined;
}

/**
 * Runs one more process in a container. Detached, returns 0 once it runs. Otherwise waits for it, forwards signals and
 * the terminal, and returns its exit status: 0–255, or 128 + signal. When it cannot be run nothing of it is left. Takes
 * no lock, since it changes nothing in the state store.
 * @throws TsrunError 'state' with the words `container not running` when it does not run
 */
export function exec(request: ExecRequest): number {
  const { pid, pidfd, master, pipes } = startProcess(request);
  try {
    return request.detach === true ? 0 : foreground(pidfd, pid, master, undefined, pipes?.ours);
  } finally {
    closeSync(pidfd);
  }
}

interface StartedProcess extends ProcessHandles {
  pipes: StdioPipes | undefined;
}

function startProcess(request: ExecRequest): StartedProcess {
  const { warn } = request.log;
  const { consoleSocket, pidfdSocket, detach = false } = request;
  const container = findContainer(request.root, request.id);
  const first = checkRunning(container, request.ignorePaused ?? false);
  const program = readExecProcess(container.folder, request.process, warn);
  const terminal = program.process.terminal === true;
  checkExecTerminal(terminal, consoleSocket, detach);
  const sockets = connectCallerSockets(consoleSocket, pidfdSocket);
  const pipes = !detach && !terminal ? StdioPipes.open() : undefined;
  const undo = new Undo();
  try {
    const started = withSource(program.sourceOf, () =>
      withPidfd(first, (pidfd) => {
        const exec = prepareExec(request, container.record, first.pid, program);
        if (!detach) {
          holdSignals();
          undo.onFailure('restore signals', releaseSignals);
        }
        const running = withHeldSignals(!detach, () =>
          launch(exec, {
            ...{ request, container, containerConfig: program.config, first: pidfd, sockets, pipes, undo },
            ownsTerminal: terminal && !detach,
            warn: tellFrom(program.sourceOf, warn),
          }),
        );
        exec.cacheFilter();
        return running;
      }),
    );
    if (started === undefined) throw stopped();
    undo.succeed().forEach(warn);
    return { ...started, pipes };
  } catch (error) {
    pipes?.closeOurs();
    undo.fail().forEach(warn);
    throw isAliveAndNotExiting(first.pid, first.startTime) ? error : stopped(error);
  } finally {
    pipes?.closeTheirs();
    sockets.close();
  }
}

/** How long a container on cgroup v1 stays frozen while all its processes are killed. */
const killingMs = 100;

/** The container's first process, when another process may be run beside it. */
function checkRunning(container: Container, ignorePaused: boolean): ProcessRef {
  const { record, status } = container;
  if (status === 'stopped' || record.init === undefined) throw stopped();
  if (status === 'creating') {
    throw new TsrunError('state', 'cannot exec in a container that is being created');
  }
  if (!ignorePaused && isPaused(container)) {
    if (withPidfd(record.init, (pidfd) => waitPidfd(pidfd, killingMs)) !== false) throw stopped();
    const words = 'cannot exec in a paused container (use --ignore-paused to override)';
    throw new TsrunError('state', words);
  }
  return record.init;
}

/** `cause`: how the start of the process failed because the container ended meanwhile. */
function stopped(cause?: unknown): TsrunError {
  const why = cause instanceof TsrunError ? ` (it has just ended: ${cause.reason})` : '';
  return new TsrunError('state', `cannot exec in a stopped container: container not running${why}`, {
    cause,
  });
}

interface LaunchContext {
  request: ExecRequest;
  container: Container;
  containerConfig: Config;
  /** pidfd of the container's first process. */
  first: number;
  sockets: CallerSockets;
  pipes: StdioPipes | undefined;
  /** tsrun holds the master of the process's terminal. */
  ownsTerminal: boolean;
  warn: Conversation['warn'];
  undo: Undo;
}

/** Runs the init of the plan and returns once the process executes its program. */
function launch(exec: ExecPlan, context: LaunchContext): ProcessHandles {
  const { plan, code, facts, config, keptFds, cgroup } = exec;
  const { request, container, containerConfig, first, sockets, pipes, warn, undo } = context;
  const [ours, theirs] = context.ownsTerminal ? consoleSockets(undo) : [undefined, sockets.console];
  const init = launchInit(
    { plan: code, preserveFds: keptFds, console: theirs, cgroup, container: first, stdio: pipes?.theirs },
    undo,
  );
  const explainDeath = (status: number | undefined): TsrunError => explainExecDeath(status, first, config);
  const conversation: Conversation = { init, plan, facts, warn, explainDeath };
  receiveMessages(conversation, {
    pid: () => undefined,
    sync: { setup: notInPlan, hooks: notInPlan, entered: notInPlan, ready: () => 'done' },
    waiting: notInPlan,
    listener: (listener) => {
      informAgent(containerConfig, hookState(container.record, container.status), init.process.pid, listener);
    },
  });
  reportProcess(
    init.process,
    { pidFile: request.pidFile, pidfdSocket: sockets.pidfd, payload: 'setns' },
    undo,
  );
  const running = openProcessHandles(init.process.pid, ours, undo);
  executeProgram(conversation);
  return running;
}

function consoleSockets(undo: Undo): [number, number] {
  const pair = socketPair();
  undo.always('close the console sockets', () => {
    closeAll(pair);
  });
  return pair;
}

const killed = 128 + 9;

/** The kernel kills the processes of a pid namespace shortly before its first one is gone. */
const endingMs = 500;

/** Why the init has ended without a message. `first`: pidfd of the container's first process. */
function explainExecDeath(status: number | undefined, first: number, config: Config): TsrunError {
  if (status === undefined || status === killed) waitPidfd(first, endingMs);
  return new TsrunError('init', `the process ${howItEnded(status)} before its program could run`, {
    hint: endedBySeccomp(status) ? seccompHint(config) : 'the container may have reached its memory limit',
  });
}
