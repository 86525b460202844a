import { closeSync, constants, openSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno } from '../core/errno.ts';
import { TsrunError, fileError, nativeError } from '../core/error.ts';
import type { Tell } from '../core/finding.ts';
import type { Notify } from '../native/foreground.ts';
import { bindDatagram, forwardReady, notifyBarrier } from '../native/notify.ts';
import { sendPacket } from '../native/packet.ts';
import { poll } from '../native/poll.ts';
import { type ContainerFolder, withFolder } from '../state/folder.ts';
import { connectManager, notifySocketName } from './sd-notify.ts';
import { withPidfd } from '../state/process.ts';
import type { ProcessRef } from '../state/record.ts';
import { notifyFolderName } from '../state/store.ts';
import { hasStored } from '../state/store-files.ts';
import { closeAll } from '../host/filesystem.ts';

/** In milliseconds, as in runc: a service manager that does not know BARRIER=1 is waited for so long. */
const barrierMs = 30_000;

/** In datagrams: more than a socket queues with the default of net.unix.max_dgram_qlen. */
const queueLength = 1024;

/** Passes the readiness of a container on to the service manager. */
export class NotifyRelay {
  /** The container's end and the manager's, for foreground(). */
  readonly sockets: Readonly<Pick<Notify, 'container' | 'manager'>>;
  readonly #folder: number;

  private constructor(path: string, manager: number) {
    this.#folder = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      this.#unlink();
      this.sockets = { container: bindDatagram(`/proc/self/fd/${this.#folder}`, notifySocketName), manager };
    } catch (error) {
      closeSync(this.#folder);
      throw error;
    }
  }

  /**
   * Makes the container's socket. Call it with the lock held, before the container's program runs. Undefined without
   * a service manager, and for a container that was created without one: it has no notify folder.
   */
  static open(folder: ContainerFolder, managerPath: string | undefined): NotifyRelay | undefined {
    if (managerPath === undefined || !hasStored(folder, notifyFolderName)) return undefined;
    const manager = connectManager(managerPath);
    try {
      return withFolder(folder, (inside) => new NotifyRelay(join(inside, notifyFolderName), manager));
    } catch (error) {
      closeSync(manager);
      throw nativeError(`make the notify socket of container ${folder.id}`, error);
    }
  }

  /**
   * Waits until a process in the container reports READY, or the first one ends. A failure to tell the service manager
   * is a warning, since the container runs.
   */
  waitUntilReady(init: ProcessRef, warn: Tell): void {
    try {
      const told = withPidfd(init, (pidfd) => this.#forwardUntilEnd(pidfd, init.pid)) ?? false;
      if (!told && !this.#forwardQueued(init.pid)) return;
      untilAcknowledged(this.sockets.manager, warn);
    } catch (error) {
      if (!(error instanceof TsrunError)) throw error;
      warn(error);
    }
  }

  #forwardUntilEnd(pidfd: number, pid: number): boolean {
    for (;;) {
      const [readable = false, ended = false] = poll([this.sockets.container, pidfd], -1);
      if (readable && forwardReady(this.sockets.container, this.sockets.manager, pid)) return true;
      if (ended) return false;
    }
  }

  /** Reads what was queued before the end: not more, since another process may keep sending. */
  #forwardQueued(pid: number): boolean {
    for (let count = 0; count < queueLength; count++) {
      if (poll([this.sockets.container], 0)[0] !== true) return false;
      if (forwardReady(this.sockets.container, this.sockets.manager, pid)) return true;
    }
    return false;
  }

  /** Removes the socket: later messages of the container fail at once. */
  close(): void {
    closeAll([this.sockets.container, this.sockets.manager]);
    this.#unlink();
    closeSync(this.#folder);
  }

  /** By descriptor: another container may have the id by now. */
  #unlink(): void {
    try {
      unlinkSync(`/proc/self/fd/${this.#folder}/${notifySocketName}`);
    } catch (error) {
      if (!hasErrno(error, 'ENOENT')) throw fileError(`remove the notify socket`, error);
    }
  }
}

/**
 * Tells the service manager, if there is one, that a restored container is ready: it reported that before its
 * checkpoint. A failure is a warning.
 *
 * @param pid the service's main process
 * @param waits wait until the manager has acknowledged: for a caller that ends afterwards
 */
export function reportReady(managerPath: string | undefined, pid: number, waits: boolean, warn: Tell): void {
  if (managerPath === undefined) return;
  try {
    const manager = connectManager(managerPath);
    try {
      sendPacket(manager, 'the service manager', Buffer.from(`MAINPID=${pid}\nREADY=1\n`));
      if (waits) untilAcknowledged(manager, warn);
    } finally {
      closeSync(manager);
    }
  } catch (error) {
    if (!(error instanceof TsrunError)) throw error;
    warn(error);
  }
}

function untilAcknowledged(manager: number, warn: Tell): void {
  if (notifyBarrier(manager, barrierMs)) return;
  warn({ reason: `the service manager has not acknowledged for ${barrierMs / 1000} seconds` });
}
