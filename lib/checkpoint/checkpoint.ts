import { closeSync, statSync, writeSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { callCriu } from './criu/call.ts';
import type { Notification } from './criu/call.ts';
import { criuFailure } from './criu/log.ts';
import { findCriu, withDevNull } from './criu/program.ts';
import { requestTypes } from './criu/rpc.ts';
import type { CriuOptions } from './criu/rpc.ts';
import { TsrunError, fileError } from '../core/error.ts';
import type { Sink } from '../core/finding.ts';
import { parseDocument } from '../config/bundle.ts';
import { hasNewNamespace, namespaces } from '../config/namespaces.ts';
import type { Config } from '../config/types.ts';
import { externalMountOptions } from './checkpoint-mounts.ts';
import { commonOptions, configFile, emptyNamespaces } from './criu-options.ts';
import type { CriuFlags } from './criu-options.ts';
import { openFolders } from './image-folders.ts';
import type { ImageFolders } from './image-folders.ts';
import { externalStdio, writeDescriptors } from './stdio-descriptors.ts';
import { dismantle } from '../container/delete.ts';
import { externalNamespaces, hooksMakeNetwork } from './external-namespaces.ts';
import { findContainer, findFolder } from '../state/find-container.ts';
import type { Container } from '../state/find-container.ts';
import { ownEnvironment } from '../container/run-hooks.ts';
import { lockContainer } from '../state/lock.ts';
import type { ContainerRecord, ProcessRef } from '../state/record.ts';
import type { StateRoot } from '../state/state-root.ts';
import { removeFolder, storedConfig } from '../state/store.ts';

export interface CheckpointRequest extends CriuFlags {
  root: StateRoot;
  id: string;
  log: Sink;
  /** Images of an earlier pre-dump, relative to imagePath. */
  parentPath?: string | undefined;
  leaveRunning?: boolean | undefined;
  /** Memory only, and the container goes on. */
  preDump?: boolean | undefined;
  tcpSkipInFlight?: boolean | undefined;
  linkRemap?: boolean | undefined;
  pageServer?: { address: string; port: number } | undefined;
  /** Gets a zero byte when the pages can be asked for (lazyPages). */
  statusFd?: number | undefined;
}

const logName = 'dump.log';

/**
 * Saves a running or paused container to files, with criu. Unless it is left running, the container is deleted
 * afterwards, as its peers do. When criu fails, the container goes on as before.
 */
export function checkpoint(request: CheckpointRequest): void {
  const { root, id, log } = request;
  const lock = lockContainer(findFolder(root, id));
  try {
    const found = findContainer(root, id);
    dump(request, found, runningProcess(found));
    if (request.leaveRunning === true || request.preDump === true) return;
    dismantle(found.record, true, log.warn);
    removeFolder(found.folder);
  } finally {
    lock.release();
  }
}

function runningProcess({ record: { init }, status }: Container): ProcessRef {
  if (init !== undefined && (status === 'running' || status === 'paused')) return init;
  throw new TsrunError('state', `container cannot be checkpointed in ${status} state`);
}

function dump(request: CheckpointRequest, { folder, record }: Container, { pid }: ProcessRef): void {
  const criu = findCriu(ownEnvironment());
  const stored = storedConfig(folder);
  const config = parseDocument(stored.text, stored.file) as Config;
  if (!hasNewNamespace(config.linux, 'mount')) {
    throw new TsrunError(
      'unsupported',
      'a container without a mount namespace of its own cannot be restored',
    );
  }
  const folders = openFolders(request, true);
  try {
    const opts: CriuOptions = {
      ...folders.options,
      ...commonOptions(request),
      ...dumpOptions(request, folders),
      ...configFile(record.annotations),
      ...freezer(record),
      pid,
      root: record.rootfs,
      empty_ns: emptyNamespaces(request) | (hooksMakeNetwork(config) ? namespaces.network.flag : 0),
      external: [...externalNamespaces(pid, config), ...externalStdio(record.stdio)],
      ...(request.preDump === true ? {} : externalMountOptions(pid, config)),
    };
    if (request.preDump !== true) writeDescriptors(folders.images, record.stdio);
    const type = request.preDump === true ? requestTypes.preDump : requestTypes.dump;
    const answer = withDevNull((nothing) =>
      callCriu({
        program: criu.path,
        env: criu.env,
        stdio: [nothing, nothing, nothing],
        request: { type, opts },
        notify: (notification) => {
          tellReady(request, notification);
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

function dumpOptions(request: CheckpointRequest, { images }: ImageFolders): CriuOptions {
  const parent = parentImages(images, request.parentPath);
  return {
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

/** criu stops the processes through their cgroup where there is one: then nothing forks meanwhile. */
function freezer({ cgroup, ownsCgroup }: ContainerRecord): CriuOptions {
  if (cgroup === undefined || !ownsCgroup) return {};
  const { paths, shared, version } = cgroup;
  const directory = version === 2 ? paths[''] : paths[shared['freezer'] ?? 'freezer'];
  return directory === undefined ? {} : { freeze_cgroup: directory };
}

function tellReady({ statusFd }: CheckpointRequest, { script }: Notification): void {
  if (script !== 'status-ready' || statusFd === undefined) return;
  try {
    writeSync(statusFd, '\0');
    closeSync(statusFd);
  } catch (error) {
    throw fileError(`write to --status-fd ${statusFd}`, error);
  }
}
