import { closeSync } from 'node:fs';
import { TsrunError, withSource } from '../core/error.ts';
import { waitPidfd } from '../native/pidfd.ts';
import { readHostFacts } from '../host/facts.ts';
import { foreground } from '../native/foreground.ts';
import { isAliveAndNotExiting } from '../host/proc.ts';
import type { Sink } from '../core/finding.ts';
import { tellFrom } from '../core/finding.ts';
import { encode } from '../plan/encode.ts';
import { compileExec } from '../plan/exec.ts';
import { prepareFilter } from '../seccomp/prepare.ts';
import { findNamespace } from '../config/namespaces.ts';
import { execJoin } from './exec-cgroup.ts';
import { drawProcess } from './exec-config.ts';
import type { DrawnProcess, ProcessRequest } from './exec-config.ts';
import { launchExec } from './exec-launch.ts';
import type { ExecLaunch } from './exec-launch.ts';
import { refuseTracersOfExec } from './external-namespaces.ts';
import { foreignNamespaces } from './exec-namespaces.ts';
import { findContainer, isPaused } from '../state/find-container.ts';
import type { Container } from '../state/find-container.ts';
import { hookState } from './hook-state.ts';
import { checkPreservedFds } from '../engine/launch-init.ts';
import { withPidfd } from '../state/process.ts';
import { listenEnvironment } from '../service/socket-activation.ts';
import type { ListenRequest } from '../service/socket-activation.ts';
import type { ContainerRecord, ProcessRef } from '../state/record.ts';
import type { StateRoot } from '../state/state-root.ts';
import type { Running } from '../engine/foreground-process.ts';
import { informAgent } from './seccomp-agent.ts';
import { connectCallerSockets } from '../engine/caller-sockets.ts';
import { StdioPipes } from '../engine/stdio-pipes.ts';
import { checkExecTerminal } from './check-terminal.ts';
import { Undo } from '../core/undo.ts';

/** What `exec` is asked for. Paths are relative to the working directory unless absolute. */
export interface ExecRequest extends ListenRequest {
  root: StateRoot;
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
  /** Descriptors the process keeps behind those of LISTEN_FDS. */
  preserveFds?: number | undefined;
  /** Cgroups below the container's, by controller; '' for all. */
  subCgroups?: ReadonlyMap<string, string> | undefined;
  /** Also in a paused container: the process starts when that is resumed. */
  ignorePaused?: boolean | undefined;
}

/**
 * Runs one more process in a container. Detached, returns 0 once it runs. Otherwise waits for it, forwards
 * signals and the terminal, and returns its exit status: 0–255, or 128 + signal. When it cannot be run nothing
 * of it is left. Takes no lock: it changes nothing that tsrun keeps.
 */
export function exec(request: ExecRequest): number {
  const { pid, pidfd, master, pipes } = begin(request);
  try {
    return request.detach === true ? 0 : foreground(pidfd, pid, master, undefined, pipes?.ours);
  } finally {
    closeSync(pidfd);
  }
}

interface Begun extends Running {
  pipes: StdioPipes | undefined;
}

function begin(request: ExecRequest): Begun {
  const { warn } = request.log;
  const { consoleSocket, pidfdSocket, detach = false } = request;
  const found = findContainer(request.root, request.id);
  const init = checkExecutable(found, request.ignorePaused ?? false);
  const drawn = drawProcess(found.folder, request.process, warn);
  checkExecTerminal(drawn.process.terminal === true, consoleSocket, detach);
  const sockets = connectCallerSockets(consoleSocket, pidfdSocket);
  const pipes = !detach && drawn.process.terminal !== true ? StdioPipes.open() : undefined;
  const undo = new Undo();
  try {
    const running = withSource(drawn.sourceOf, () =>
      withPidfd(init, (container) => {
        const prepared = prepare(request, found.record, init, drawn);
        const caller = { consoleSocket: sockets.console, pidfdSocket: sockets.pidfd };
        const subject = { ...prepared.subject, warn: tellFrom(drawn.sourceOf, warn) };
        const inform = (pid: number, listener: number): void => {
          informAgent(drawn.config, hookState(found.record, found.status), pid, listener);
        };
        const result = launchExec(
          {
            ...prepared,
            ...caller,
            subject,
            inform,
            container,
            pidFile: request.pidFile,
            stdio: pipes?.theirs,
          },
          undo,
        );
        prepared.keep();
        return result;
      }),
    );
    if (running === undefined) throw stopped();
    undo.succeed().forEach(warn);
    return { ...running, pipes };
  } catch (error) {
    pipes?.closeOurs();
    undo.fail().forEach(warn);
    throw isAliveAndNotExiting(init.pid, init.startTime) ? error : stopped(error);
  } finally {
    pipes?.closeTheirs();
    sockets.close();
  }
}

/** For a frozen container that is being killed to end. */
const killingMs = 100;

function checkExecutable(container: Container, ignorePaused: boolean): ProcessRef {
  const { record, status } = container;
  if (status === 'stopped' || record.init === undefined) throw stopped();
  if (status === 'creating') {
    throw new TsrunError('state', 'cannot exec in a container that is being created');
  }
  if (!ignorePaused && isPaused(container)) {
    // Who kills all of a container on cgroup v1 freezes it for that moment.
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

/** Decides everything else; changes nothing. */
function prepare(
  {
    root,
    listenFds = 0,
    listenFdNames,
    preserveFds = 0,
    subCgroups = new Map(),
    detach = false,
  }: ExecRequest,
  record: ContainerRecord,
  init: ProcessRef,
  { config, process }: DrawnProcess,
): Pick<ExecLaunch, 'plan' | 'config' | 'code' | 'keptFds' | 'cgroup' | 'foreground' | 'holdsTerminal'> & {
  subject: Omit<ExecLaunch['subject'], 'warn'>;
  keep: () => void;
} {
  const facts = readHostFacts();
  const keptFds = listenFds + preserveFds;
  checkPreservedFds(keptFds);
  const join = execJoin(record, subCgroups, init.pid);
  const profile = config.linux?.seccomp;
  const seccomp = profile && prepareFilter(profile, root.path);
  const plan = compileExec(config, process, facts, {
    containerId: record.id,
    rootfs: record.rootfs,
    noNewKeyring: record.noNewKeyring === true,
    preserveFds: keptFds,
    cgroupTasks: join.tasks,
    cloneIntoCgroup: join.cloneInto !== undefined,
    // As the peers do, though the process is not the first one of its pid namespace.
    extraEnv: listenEnvironment({ listenFds, listenFdNames }),
    namespaces: foreignNamespaces(init.pid, config.linux),
    seccomp: seccomp?.filter,
  });
  const { ociVersion, linux } = config;
  // In a user namespace the privileges of the process are over nothing of the host's.
  if (findNamespace(linux, 'user') === undefined) refuseTracersOfExec(init.pid, plan);
  return {
    plan,
    // Hooks are not for it.
    config: { ociVersion, process, ...(linux === undefined ? {} : { linux }) },
    code: encode(plan),
    keptFds,
    cgroup: join.cloneInto,
    foreground: !detach,
    holdsTerminal: !detach && process.terminal === true,
    subject: { facts },
    keep: () => seccomp?.keep(),
  };
}
