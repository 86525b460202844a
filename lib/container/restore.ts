import { closeSync, mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupManager } from '../cgroup/manager.ts';
import { converse, firstExtraFd } from '../criu/converse.ts';
import type { Notification } from '../criu/converse.ts';
import { criuFailure } from '../criu/log.ts';
import { findCriu } from '../criu/program.ts';
import { requestTypes } from '../criu/rpc.ts';
import type { CriuOptions } from '../criu/rpc.ts';
import { fileError, systemError, TsrunError } from '../errors.ts';
import { pidfdOpen, setSubreaper } from '../host/child.ts';
import { foreground, holdSignals, releaseSignals } from '../host/foreground.ts';
import { withPrivateBind } from '../host/private-mounts.ts';
import { sendDescriptor, socketPair } from '../host/socket.ts';
import { draw } from './blueprint.ts';
import type { Blueprint } from './blueprint.ts';
import { descriptorsFile } from './checkpoint.ts';
import { Child } from './child.ts';
import { announce } from './create.ts';
import { commonOptions, configFile, emptyNamespaces, openFolders } from './criu-request.ts';
import type { CriuFlags, ImageFolders } from './criu-request.ts';
import { removeContainer } from './delete.ts';
import { joinNamespaces } from './external-namespaces.ts';
import { ownEnvironment } from './hooks.ts';
import { claim, makeCgroups, newRecord, refer, runRuntimeHooks } from './make.ts';
import { runPoststop } from './poststop.ts';
import type { ContainerRecord } from './record.ts';
import type { CreateRequest } from './request.ts';
import { makeMountpoints } from './restore-mountpoints.ts';
import { cgroupRoots, emptyIfNotDumped, inheritedStdio, mountSources } from './restore-options.ts';
import { takeRunning } from './running.ts';
import type { Running } from './running.ts';
import { connectCallerSockets } from './sockets.ts';
import { writeConfig, writeRecord } from './store.ts';
import type { ContainerFolder } from './store.ts';
import { checkTerminal } from './terminal.ts';
import { Undo } from './undo.ts';
import { logWarnings } from './warnings.ts';

export interface RestoreRequest extends CreateRequest, CriuFlags {
  detach?: boolean | undefined;
  noSubreaper?: boolean | undefined;
  tcpClose?: boolean | undefined;
  /** `apparmor:NAME` or `selinux:LABEL`, in the place of the one that was dumped. */
  lsmProfile?: string | undefined;
  lsmMountContext?: string | undefined;
}

type Say = (message: string) => void;

const logName = 'restore.log';

/**
 * Makes a container of the images that `checkpoint` has saved, with the bundle it was made from. Detached, returns 0
 * once its processes run; otherwise waits for the first one, as `run` does. On failure nothing of it is left.
 */
export async function restore(request: RestoreRequest): Promise<number> {
  const { root, id, log, detach = false } = request;
  if (detach) {
    await logWarnings(log, (warn, debug) => {
      closeSync(begin(request, warn, debug).pidfd);
    });
    return 0;
  }
  if (request.noSubreaper !== true) setSubreaper(true);
  holdSignals();
  let running: Running;
  try {
    running = await logWarnings(log, (warn, debug) => begin(request, warn, debug));
  } catch (error) {
    releaseSignals();
    throw error;
  }
  const { pid, pidfd, master } = running;
  let status: number;
  try {
    status = foreground(pidfd, pid, master);
  } finally {
    closeSync(pidfd);
  }
  try {
    await logWarnings(log, (warn) => {
      removeContainer({ root, id, force: true }, warn);
    });
  } catch (error) {
    // Somebody else was faster.
    if (!(error instanceof TsrunError && error.code === 'not-found')) throw error;
  }
  return status;
}

function begin(request: RestoreRequest, warn: Say, debug: Say): Running {
  const blueprint = draw(request, 'engine', warn, debug);
  const { config } = blueprint.bundle;
  const terminal = config.process?.terminal === true;
  checkTerminal(blueprint.bundle, request.consoleSocket, request.detach === true);
  const criu = findCriu(ownEnvironment());
  const folders = openFolders(request, false);
  const sockets = connectCallerSockets(request.consoleSocket, request.pidfdSocket);
  const relay = request.detach !== true && terminal ? socketPair() : undefined;
  const [ours, theirs] = relay ?? [];
  const undo = new Undo();
  try {
    const folder = claim(blueprint.id, request.root, undo);
    const record = newRecord(blueprint, {});
    writeRecord(folder, record);
    writeConfig(folder, blueprint.bundle.text);
    undo.onFailure('run its poststop hooks', () => {
      runPoststop(record).forEach(warn);
    });
    makeCgroups(blueprint, folder, record, warn, undo);
    const init = revive({
      request,
      blueprint,
      folder,
      record,
      folders,
      undo,
      warn,
      criu,
      console: theirs ?? sockets.console,
      ready: (made) => {
        announce({ folder, record, init: made, undo }, request, sockets);
      },
    });
    const running = takeRunning({ init, undo }, ours);
    undo.succeed().forEach(warn);
    return running;
  } catch (error) {
    undo.fail().forEach(warn);
    throw error;
  } finally {
    relay?.forEach((fd) => {
      closeSync(fd);
    });
    sockets.close();
    folders.close();
  }
}

interface Revival {
  request: RestoreRequest;
  blueprint: Blueprint;
  folder: ContainerFolder;
  record: ContainerRecord;
  folders: ImageFolders;
  undo: Undo;
  warn: Say;
  criu: { path: string; env: readonly string[] };
  console: number | undefined;
  /** All is restored, and nothing runs yet. */
  ready: (init: Child) => void;
}

function revive(revival: Revival): Child {
  const { request, blueprint, record, folder, folders, warn, criu } = revival;
  const { bundle, rootfs } = blueprint;
  const places = makeMountpoints(blueprint, warn);
  const target = join(folder.path, 'criu-root');
  try {
    mkdirSync(target, { mode: 0o700 });
  } catch (error) {
    throw fileError(`make ${target}`, error);
  }
  const joined = joinNamespaces(bundle.config, firstExtraFd);
  const life = new Revived(revival);
  let inside: ImageFolders | undefined;
  try {
    const opts: CriuOptions = {
      ...commonOptions(request),
      ...configFile(bundle.config.annotations),
      ...joined.options,
      ...mountSources(blueprint, places),
      inherit_fd: [...(joined.options.inherit_fd ?? []), ...inheritedStdio(folders.images, descriptorsFile)],
      log_file: logName,
      evasive_devices: true,
      rst_sibling: true,
      root: target,
      empty_ns: emptyNamespaces(request) | emptyIfNotDumped(folders.images),
      tcp_close: request.tcpClose,
      lsm_profile: request.lsmProfile,
      lsm_mount_context: request.lsmMountContext,
    };
    const answer = converse({
      program: criu.path,
      env: criu.env,
      stdio: [0, 1, 2],
      extraFds: joined.fds,
      // The folders, too, are opened there: criu mounts in its working directory.
      within: (start) =>
        withPrivateBind(rootfs, target, () => {
          inside = openFolders(request, false);
          return start();
        }),
      request: { type: requestTypes.restore, opts },
      prepare: (pid) => {
        if (record.cgroup !== undefined) cgroupManager(record.cgroup).join(pid);
        return { ...inside?.options, ...cgroupRoots(pid) };
      },
      notify: (notification) => {
        life.notice(notification);
      },
    });
    const { init } = life;
    if (answer.success !== true || init === undefined) {
      throw criuFailure(`restore container ${folder.id}`, folders.work, logName, answer);
    }
    return init;
  } finally {
    joined.close();
    inside?.close();
    rmdirSync(target);
  }
}

/** Follows a restore: the first process as soon as there is one, its hooks, its terminal. */
class Revived {
  init: Child | undefined;
  readonly #revival: Revival;

  constructor(revival: Revival) {
    this.#revival = revival;
  }

  notice({ script, pid, fds }: Notification): void {
    const { blueprint, record, console, ready } = this.#revival;
    switch (script) {
      case 'setup-namespaces':
        runRuntimeHooks({ blueprint, record, init: this.#meet(pid) });
        break;
      case 'orphan-pts-master':
        if (console !== undefined && fds[0] !== undefined) sendDescriptor(console, '/dev/ptmx', fds[0]);
        break;
      case 'post-restore':
        ready(this.#meet(pid));
        break;
    }
  }

  #meet(pid: number): Child {
    if (this.init !== undefined) return this.init;
    const { undo, record, folder } = this.#revival;
    const pidfd = pidfdOpen(pid);
    if (pidfd < 0) throw systemError(`open process ${pid}`, pidfd);
    const init = new Child(pid, pidfd);
    undo.always('put away its process', () => {
      init.close();
    });
    undo.onFailure('end its process', () => {
      init.kill();
    });
    record.init = refer(pid);
    writeRecord(folder, record);
    this.init = init;
    return init;
  }
}
