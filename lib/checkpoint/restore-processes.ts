import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupManager } from '../cgroup/cgroup-manager.ts';
import { fileError } from '../core/error.ts';
import type { Tell } from '../core/finding.ts';
import type { Child } from '../native/child.ts';
import type { StdioEnds } from '../native/foreground.ts';
import { withPrivateBind } from '../native/private-mounts.ts';
import { type ContainerFolder, withFolder } from '../state/folder.ts';
import { criuRootName } from '../state/store.ts';
import { commonOptions, configFile, type CriuFlags, emptyNamespaces } from './criu-options.ts';
import { callCriu, firstExtraFd } from './criu/call.ts';
import { criuFailure } from './criu/log.ts';
import { type Criu, withDevNull } from './criu/program.ts';
import { type CriuOptions, requestTypes } from './criu/rpc.ts';
import { joinNamespaces } from './external-namespaces.ts';
import { type ImageFolders, openFolders } from './image-folders.ts';
import { makeReadableImages } from './readable-images.ts';
import { makeMountpoints } from './restore-mountpoints.ts';
import { type RestoredContainer, RestoreNotifications } from './restore-notifications.ts';
import { cgroupRoots, emptyIfNotDumped, mountSources } from './restore-options.ts';
import { inheritedStdio } from './stdio-descriptors.ts';

/** The flags of `restore` that go to criu. */
export interface RestoreFlags extends CriuFlags {
  tcpClose?: boolean | undefined;
  /** `apparmor:NAME` or `selinux:LABEL`, instead of the dumped one. */
  lsmProfile?: string | undefined;
  lsmMountContext?: string | undefined;
}

/** What criu needs to restore the processes of a container whose folder and cgroups exist. */
export interface RestoreTask extends RestoredContainer {
  flags: RestoreFlags;
  folders: ImageFolders;
  criu: Criu;
  /** Descriptors 0, 1 and 2 of the container. */
  stdio: StdioEnds;
  warn: Tell;
}

const logName = 'restore.log';

/**
 * Restores the processes with criu. Returns the first one, which is a child of tsrun.
 *
 * @throws TsrunError 'system' with criu's last errors
 */
export function restoreProcesses(task: RestoreTask): Child {
  const { prepared, folder, folders, warn } = task;
  const { config } = prepared.bundle;
  const places = makeMountpoints(prepared, folder, warn);
  // 0 to 2 are stdio, then come /dev/null and the namespaces.
  const joined = joinNamespaces(config, firstExtraFd + 1);
  try {
    const readable = makeReadableImages(folders.images, config);
    try {
      return withRootFolder(folder, (root) =>
        withDevNull((devNull) =>
          runRestore(
            task,
            { ...restoreOptions(task, joined.options, mountSources(prepared, folder, places)), root },
            [devNull, ...joined.fds],
            readable?.folder,
          ),
        ),
      );
    } finally {
      readable?.remove();
    }
  } finally {
    joined.close();
  }
}

function restoreOptions(
  { prepared, flags, folders }: RestoreTask,
  joined: CriuOptions,
  mounts: CriuOptions,
): CriuOptions {
  return {
    ...commonOptions(flags),
    ...configFile(prepared.bundle.config.annotations),
    ...joined,
    ...mounts,
    inherit_fd: [...(joined.inherit_fd ?? []), ...inheritedStdio(folders.images, firstExtraFd)],
    log_file: logName,
    evasive_devices: true,
    rst_sibling: true,
    empty_ns: emptyNamespaces(flags) | emptyIfNotDumped(folders.images),
    tcp_close: flags.tcpClose,
    lsm_profile: flags.lsmProfile,
    lsm_mount_context: flags.lsmMountContext,
  };
}

/** Makes an empty folder, where criu finds the rootfs mounted, and removes it afterwards. */
function withRootFolder<T>(folder: ContainerFolder, use: (path: string) => T): T {
  const path = join(folder.path, criuRootName);
  try {
    withFolder(folder, (inside) => {
      mkdirSync(join(inside, criuRootName), { mode: 0o700 });
    });
  } catch (error) {
    throw fileError(`make ${path}`, error);
  }
  try {
    return use(path);
  } finally {
    withFolder(folder, (inside) => {
      rmdirSync(join(inside, criuRootName));
    });
  }
}

function runRestore(
  task: RestoreTask,
  opts: CriuOptions & { root: string },
  extraFds: readonly number[],
  readableImages: string | undefined,
): Child {
  const { prepared, criu, flags, folder, folders, record, stdio } = task;
  const notifications = new RestoreNotifications(task);
  let opened: ImageFolders | undefined;
  try {
    const answer = callCriu({
      program: criu.path,
      env: criu.env,
      stdio,
      extraFds,
      spawnIn: (start) =>
        withPrivateBind(prepared.rootfs, opts.root, () => {
          // Opened in this mount namespace: criu mounts in its working directory.
          opened = openFolders(flags, false, readableImages);
          return start();
        }),
      request: { type: requestTypes.restore, opts },
      prepare: (pid) => {
        if (record.cgroup !== undefined) cgroupManager(record.cgroup).join(pid);
        return { ...opened?.options, ...cgroupRoots(pid) };
      },
      notify: (notification) => {
        notifications.handle(notification);
      },
    });
    const { init } = notifications;
    if (answer.success !== true || init === undefined) {
      throw criuFailure(`restore container ${folder.id}`, folders.work, logName, answer);
    }
    return init;
  } finally {
    opened?.close();
  }
}
