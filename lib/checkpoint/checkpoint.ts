import { closeSync, statSync, writeSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { callCriu, type Notification } from './criu/call.ts';
import { criuFailure } from './criu/log.ts';
import { findCriu, withDevNull } from './criu/program.ts';
import { type CriuOptions, requestTypes } from './criu/rpc.ts';
import { TsrunError, fileError } from '../core/error.ts';
import type { Sink } from '../core/finding.ts';
import { hasNewNamespace, namespaces } from '../config/namespaces.ts';
import type { Config } from '../config/types.ts';
import { externalMountOptions } from './checkpoint-mounts.ts';
import { commonOptions, configFile, type CriuFlags, emptyNamespaces } from './criu-options.ts';
import { type ImageFolders, openFolders } from './image-folders.ts';
import { externalStdio, writeDescriptors } from './stdio-descriptors.ts';
import { destroyContainer } from '../container/delete.ts';
import { externalNamespaces, hooksMakeNetwork } from './external-namespaces.ts';
import type { Container } from '../state/find-container.ts';
import { ownEnvironment } from '../container/run-hooks.ts';
import { withLockedContainer } from '../state/lock.ts';
import type { ContainerRecord, ProcessRef } from '../state/record.ts';
import type { StateRoot } from '../state/state-root.ts';
import { removeFolder } from '../state/store.ts';
import { readStoredConfig } from '../state/stored-config.ts';
import { controllerDirectory } from '../cgroup/record.ts';

/** What `checkpoint` is asked for. */
export interface CheckpointRequest extends CriuFlags {
  root: StateRoot;
  id: string;
  log: Sink;
  /** Path of the images of an earlier pre-dump, relative to imagePath. */
  parentPath?: string | undefined;
  /** Do not delete the container. */
  leaveRunning?: boolean | undefined;
  /** Save the memory only, and do not delete the container. */
  preDump?: boolean | undefined;
  tcpSkipInFlight?: boolean | undefined;
  linkRemap?: boolean | undefined;
  pageServer?: { address: string; port: number } | undefined;
  /** Descriptor that gets a zero byte when criu serves memory pages (lazyPages). */
  statusFd?: number | undefined;
}

const logName = 'dump.log';

/**
 * Saves a running or paused container to files, with criu, and deletes it as runc does, unless it is left running. When
 * criu fails, the container runs on.
 *
 * @throws TsrunError 'state' with another status; 'unsupported' for what criu cannot restore; 'system' when criu fails
 */
export function checkpoint(request: CheckpointRequest): void {
  const { root, id, log } = request;
  withLockedContainer(root, id, (container) => {
    dump(request, container, runningProcess(container));
    if (request.leaveRunning === true || request.preDump === true) return;
    destroyContainer(container.record, true, log.warn);
    removeFolder(container.folder);
  });
}

function runningProcess({ record: { init }, status }: Container): ProcessRef {
  if (init !== undefined && (status === 'running' || status === 'paused')) return init;
  throw new TsrunError('state', `container cannot be checkpointed in ${status} state`);
}

function dump(request: CheckpointRequest, { folder, record }: Container, { pid }: ProcessRef): void {
  const criu = findCriu(ownEnvironment());
  const config = readStoredConfig(folder);
  if (!hasNewNamespace(config.linux, 'mount')) {
    throw new TsrunError(
      'unsupported',
      'a container without a mount namespace of its own cannot be restored',
    );
  }
  const folders = openFolders(request, true);
  try {
    const opts = {
      ...folders.options,
      ...dumpOptions(request, folders, config, record, pid),
      ...(request.preDump === true ? {} : externalMountOptions(pid, config)),
    };
    if (request.preDump !== true) writeDescriptors(folders.images, record.stdio);
    const type = request.preDump === true ? requestTypes.preDump : requestTypes.dump;
    const answer = withDevNull((devNull) =>
      callCriu({
        program: criu.path,
        env: criu.env,
        stdio: [devNull, devNull, devNull],
        request: { type, opts },
        notify: (notification) => {
          reportPagesReady(request, notification);
        },
      }),
    );
    if (answer.success !== true) {
      throw criuFailure(`checkpoint container ${folder.id}`, folders.work, logName, answer);
    }
  } finally {
    folders.close();
  }
}

function dumpOptions(
  request: CheckpointRequest,
  { images }: ImageFolders,
  config: Config,
  record: ContainerRecord,
  pid: number,
): CriuOptions {
  const parent = parentImages(images, request.parentPath);
  return {
    ...commonOptions(request),
    ...configFile(record.annotations),
    ...freezer(record),
    pid,
    root: record.rootfs,
    empty_ns: emptyNamespaces(request) | (hooksMakeNetwork(config) ? namespaces.network.flag : 0),
    external: [...externalNamespaces(pid, config), ...externalStdio(record.stdio)],
    log_file: logName,
    leave_running: request.leaveRunning,
    tcp_skip_in_flight: request.tcpSkipInFlight,
    link_remap: request.linkRemap,
    ...(request.pageServer === undefined ? {} : { ps: request.pageServer }),
    ...(parent === undefined ? {} : { parent_img: parent }),
    ...(parent === undefined && request.preDump !== true ? {} : { track_mem: true }),
  };
}

function parentImages(images: string, parent: string | undefined): string | undefined {
  if (parent === undefined || parent === '') return undefined;
  if (isAbsolute(parent)) throw new TsrunError('usage', '--parent-path must be relative to the image path');
  const path = join(images, parent);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new TsrunError('usage', `--parent-path: ${path} is not a folder`);
  }
  return parent;
}

/** criu stops the processes by freezing their cgroup, if they have one, so that none can fork. */
function freezer({ cgroup, ownsCgroup }: ContainerRecord): CriuOptions {
  if (cgroup === undefined || !ownsCgroup) return {};
  const directory = controllerDirectory(cgroup, cgroup.version === 2 ? '' : 'freezer');
  return directory === undefined ? {} : { freeze_cgroup: directory };
}

function reportPagesReady({ statusFd }: CheckpointRequest, { script }: Notification): void {
  if (script !== 'status-ready' || statusFd === undefined) return;
  try {
    writeSync(statusFd, '\0');
    closeSync(statusFd);
  } catch (error) {
    throw fileError(`write to --status-fd ${statusFd}`, error);
  }
}
