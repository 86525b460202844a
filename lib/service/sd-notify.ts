/**
 * sd_notify(3) for services that are containers: the container gets a socket of its own, and tsrun tells the service
 * manager only that the container is ready.
 */
import { closeSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { TsrunError, fileError } from '../core/error.ts';
import type { Tell } from '../core/finding.ts';
import { connectDatagram } from '../native/notify.ts';
import type { Mount } from '../config/types.ts';
import { type ContainerFolder, withFolder } from '../state/folder.ts';
import { notifyFolderName } from '../state/store.ts';

/** Name of the socket in notifyFolder(). */
export const notifySocketName = 'notify.sock';
const insideFolder = '/run/notify';

/** The variable by which the container finds the socket. */
export const notifyVariable = `NOTIFY_SOCKET=${insideFolder}/${notifySocketName}`;

/** The folder on the host that is mounted into the container. */
export function notifyFolder(folder: ContainerFolder): string {
  return join(folder.path, notifyFolderName);
}

/** Mounts notifyFolder() into the container; the socket in it may be made later. */
export function notifyMount(folder: ContainerFolder): Mount {
  return {
    destination: insideFolder,
    type: 'bind',
    source: notifyFolder(folder),
    options: ['bind', 'ro', 'nosuid', 'nodev', 'noexec'],
  };
}

/** Makes notifyFolder(). It is removed with the container's folder. */
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
 * Connects to the service manager. Returns a descriptor.
 *
 * @param path the value of NOTIFY_SOCKET
 * @throws TsrunError 'usage' when nobody listens there
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
 * Checks NOTIFY_SOCKET: returns `path`, or undefined with a warning when nobody listens there. It is no error, since
 * a service leaves the variable to all programs that it starts.
 */
export function reachableManager(path: string | undefined, warn: Tell): string | undefined {
  if (path === undefined) return undefined;
  try {
    closeSync(connectManager(path));
    return path;
  } catch (error) {
    if (!(error instanceof TsrunError)) throw error;
    warn(
      error.with({
        reason: `${error.reason}; ignored: no service manager learns when the container is ready`,
      }),
    );
    return undefined;
  }
}
