import { closeSync, mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupManager } from '../cgroup/manager.ts';
import { callCriu, firstExtraFd } from './criu/call.ts';
import { criuFailure } from './criu/log.ts';
import { findCriu, withDevNull } from './criu/program.ts';
import { requestTypes } from './criu/rpc.ts';
import type { CriuOptions } from './criu/rpc.ts';
import { fileError, withSource } from '../core/error.ts';
import type { Tell } from '../core/finding.ts';
import { tellFrom } from '../core/finding.ts';
import { foreground } from '../native/foreground.ts';
import type { StdioEnds } from '../native/foreground.ts';
import { withPrivateBind } from '../native/private-mounts.ts';
import { socketPair } from '../native/socket.ts';
import { attend } from '../container/run-in-foreground.ts';
import { draw } from '../container/prepare-container.ts';
import type { Blueprint } from '../container/prepare-container.ts';
import type { Child } from '../native/child.ts';
import { announce } from '../container/create.ts';
import { commonOptions, configFile, emptyNamespaces } from './criu-options.ts';
import type { CriuFlags } from './criu-options.ts';
import { openFolders } from './image-folders.ts';
import type { ImageFolders } from './image-folders.ts';
import { inheritedStdio } from './stdio-descriptors.ts';
import { refuseTracers } from '../container/external-namespaces.ts';
import { joinNamespaces } from './external-namespaces.ts';
import { ownEnvironment } from '../container/run-hooks.ts';
import { claim, makeCgroups, newRecord } from '../container/create-container.ts';
import { ownStdio } from '../engine/launch-init.ts';
import { makeNotifyFolder } from '../service/sd-notify.ts';
import { reportReady } from '../service/sd-notify-relay.ts';
import { runPoststop } from '../container/poststop-hooks.ts';
import { makeReadableImages } from './readable-images.ts';
import type { ContainerRecord } from '../state/record.ts';
import type { CreateRequest } from '../container/create-request.ts';
import { makeMountpoints } from './restore-mountpoints.ts';
import { cgroupRoots, emptyIfNotDumped, mountSources } from './restore-options.ts';
import { Revived } from './restore-notifications.ts';
import type { Expected } from './restore-notifications.ts';
import { takeRunning } from '../engine/foreground-process.ts';
import type { Running } from '../engine/foreground-process.ts';
import { connectCallerSockets } from '../engine/caller-sockets.ts';
import { StdioPipes } from '../engine/stdio-pipes.ts';
import { criuRootName, writeConfig, writeRecord } from '../state/store.ts';
import { checkTerminal } from '../container/check-terminal.ts';
import { Undo } from '../core/undo.ts';

export interface RestoreRequest extends CreateRequest, CriuFlags {
  detach?: boolean | undefined;
  noSubreaper?: boolean | undefined;
  tcpClose?: boolean | undefined;
  /** `apparmor:NAME` or `selinux:LABEL`, in the place of the one that was dumped. */
  lsmProfile?: string | undefined;
  lsmMountContext?: string | undefined;
}

const logName = 'restore.log';

/**
 * Makes a container of the images that `checkpoint` has saved, with the bundle it was made from. Detached, returns 0
 * once its processes run; otherwise waits for the first one, as `run` does. On failure nothing of it is left.
 */
export function restore(request: RestoreRequest): number {
  const { detach = false, log } = request;
  if (detach) {
    const { pid, pidfd } = begin(request);
    closeSync(pidfd);
    reportReady(request.notifySocket, pid, true, log.warn);
    return 0;
  }
  return attend(
    request,
    () => {
      const running = begin(request);
      reportReady(request.notifySocket, process.pid, false, log.warn);
      return running;
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

interface Begun extends Running {
  record: ContainerRecord;
  pipes: StdioPipes | undefined;
}

function begin(request: RestoreRequest): Begun {
  const blueprint = draw(request, 'engine');
  return withSource(
    () => blueprint.bundle,
    () => restoreProcesses(request, blueprint),
  );
}

function restoreProcesses(request: RestoreRequest, blueprint: Blueprint): Begun {
  const { bundle } = blueprint;
  const { config } = bundle;
  const warn = tellFrom(() => bundle, request.log.warn);
  const terminal = config.process?.terminal === true;
  checkTerminal(blueprint.bundle, request.consoleSocket, request.detach === true);
  refuseTracers(config);
  const criu = findCriu(ownEnvironment());
  const folders = openFolders(request, false);
  const sockets = connectCallerSockets(request.consoleSocket, request.pidfdSocket);
  const relay = request.detach !== true && terminal ? socketPair() : undefined;
  const pipes = request.detach !== true && !terminal ? StdioPipes.open() : undefined;
  const [ours, theirs] = relay ?? [];
  const undo = new Undo();
  try {
    const folder = claim(blueprint.id, request.root, undo);
    const record = newRecord(blueprint, { stdio: pipes?.theirs });
    writeRecord(folder, record);
    writeConfig(folder, blueprint.bundle.text);
    // Also without a service manager: a container that was made for one has the mount, and criu wants its source.
    makeNotifyFolder(folder);
    undo.onFailure('run its poststop hooks', () => {
      runPoststop(record).forEach(warn);
    });
    makeCgroups(blueprint, folder, record, warn, undo);
    const init = withDevNull((nothing) =>
      revive({
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
        nothing,
        stdio: pipes?.theirs ?? ownStdio,
      }),
    );
    const running = takeRunning({ init, undo }, ours);
    undo.succeed().forEach(warn);
    return { ...running, record, pipes };
  } catch (error) {
    pipes?.closeOurs();
    undo.fail().forEach(warn);
    throw error;
  } finally {
    pipes?.closeTheirs();
    relay?.forEach((fd) => {
      closeSync(fd);
    });
    sockets.close();
    folders.close();
  }
}

interface Revival extends Expected {
  request: RestoreRequest;
  folders: ImageFolders;
  warn: Tell;
  criu: { path: string; env: readonly string[] };
  /** /dev/null. */
  nothing: number;
  stdio: StdioEnds;
}

function revive(revival: Revival): Child {
  const { request, blueprint, record, folder, folders, warn, criu, nothing, stdio } = revival;
  const { bundle, rootfs } = blueprint;
  const places = makeMountpoints(blueprint, folder, warn);
  const target = join(folder.path, criuRootName);
  try {
    mkdirSync(target, { mode: 0o700 });
  } catch (error) {
    throw fileError(`make ${target}`, error);
  }
  const joined = joinNamespaces(bundle.config, firstExtraFd + 1);
  const life = new Revived(revival);
  let inside: ImageFolders | undefined;
  const readable = makeReadableImages(folders.images, bundle.config);
  try {
    const opts: CriuOptions = {
      ...commonOptions(request),
      ...configFile(bundle.config.annotations),
      ...joined.options,
      ...mountSources(blueprint, folder, places),
      inherit_fd: [...(joined.options.inherit_fd ?? []), ...inheritedStdio(folders.images, firstExtraFd)],
      log_file: logName,
      evasive_devices: true,
      rst_sibling: true,
      root: target,
      empty_ns: emptyNamespaces(request) | emptyIfNotDumped(folders.images),
      tcp_close: request.tcpClose,
      lsm_profile: request.lsmProfile,
      lsm_mount_context: request.lsmMountContext,
    };
    const answer = callCriu({
      program: criu.path,
      env: criu.env,
      stdio,
      extraFds: [nothing, ...joined.fds],
      // The folders, too, are opened there: criu mounts in its working directory.
      spawnIn: (start) =>
        withPrivateBind(rootfs, target, () => {
          inside = openFolders(request, false, readable?.folder);
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
    readable?.remove();
    rmdirSync(target);
  }
}
