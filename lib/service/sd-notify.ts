/**
 * sd_notify(3) for services that are containers: a socket of the container's own, from which only its readiness
 * goes on to the service manager that started tsrun.
 */
import { closeSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { TsrunError, fileError } from '../core/error.ts';
import type { Tell } from '../core/finding.ts';
import { connectDatagram } from '../native/notify.ts';
import type { Mount } from '../config/types.ts';
import { withFolder } from '../state/folder.ts';
import type { ContainerFolder } from '../state/folder.ts';
import { notifyFolderName } from '../state/store.ts';

/** In notifyFolder. */
export const notifySocketName = 'notify.sock';
const insideFolder = '/run/notify';

/** Where the container finds the socket. */
export const notifyVariable = `NOTIFY_SOCKET=${insideFolder}/${notifySocketName}`;

/** What the container sees of the host's side. */
export function notifyFolder(folder: ContainerFolder): string {
  return join(folder.path, notifyFolderName);
}

/** The mount by which the container sees the socket, whenever that is made. */
export function notifyMount(folder: ContainerFolder): Mount {
  return {
    destination: insideFolder,
    type: 'bind',
    source: notifyFolder(folder),
    options: ['bind', 'ro', 'nosuid', 'nodev', 'noexec'],
  };
}

/** Makes the source of that mount. It goes with the container's folder. */
export function makeNotifyFolder(folder: ContainerFolder): void {
  try {
    withFolder(folder, (inside) => {
      mkdirSync(join(inside, notifyFolderName), { mode: 0o755 });
    });
  } catch (error) {
    throw fileError(`make ${notifyFolder(folder)}`, error);
  }
}

/**
 * Connects to the service manager by the value of NOTIFY_SOCKET.
 * @throws TsrunError 'usage' when that names no socket somebody reads
 */
export function connectManager(path: string): number {
  try {
    if (!/^[/@]./.test(path)) {
      throw new TsrunError('unsupported', `${path} is neither an absolute path nor an abstract name`);
    }
    return connectDatagram(path);
  } catch (error) {
    if (!(error instanceof TsrunError)) throw error;
    throw error.with({ code: 'usage', reason: `NOTIFY_SOCKET: ${error.reason}` });
  }
}

/**
 * The service manager that can be told later: `path`, or undefined when nobody reads that socket. A variable that a
 * service has left to all it starts is no reason to run nothing (sd_notify(3)), so that is a warning.
 */
export function listeningManager(path: string | undefined, warn: Tell): string | undefined {
  if (path === undefined) return undefined;
  try {
    closeSync(connectManager(path));
    return path;
  } catch (error) {
    if (!(error instanceof TsrunError)) throw error;
    warn(error.with({ reason: `${error.reason}; ignored, nobody is told when the container is ready` }));
    return undefined;
  }
}
