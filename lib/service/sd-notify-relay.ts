import { closeSync, constants, existsSync, openSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { TsrunError, fileError } from '../core/error.ts';
import type { Tell } from '../core/finding.ts';
import type { Notify } from '../native/foreground.ts';
import { bindDatagram, forwardReady, notifyBarrier } from '../native/notify.ts';
import { sendPacket } from '../native/packet.ts';
import { poll } from '../native/poll.ts';
import { isErrno } from '../core/is-errno.ts';
import { withFolder } from '../state/folder.ts';
import type { ContainerFolder } from '../state/folder.ts';
import { connectManager, notifyFolder, notifySocketName } from './sd-notify.ts';
import { withPidfd } from '../state/process.ts';
import type { ProcessRef } from '../state/record.ts';
import { notifyFolderName } from '../state/store.ts';

/** As long as service managers that know no barrier are waited for, as with runc. */
const barrierMs = 30_000;

/** More datagrams than a socket keeps, unless net.unix.max_dgram_qlen was changed. */
const queueLength = 1024;

/** The container's socket and the manager's, while somebody waits for the container to be ready. */
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
   * Makes the container's socket; call it with the lock held, before the container can look for it. Undefined
   * when there is no manager, or the container was created without one and cannot speak to us.
   */
  static open(folder: ContainerFolder, managerPath: string | undefined): NotifyRelay | undefined {
    if (managerPath === undefined || !existsSync(notifyFolder(folder))) return undefined;
    const manager = connectManager(managerPath);
    try {
      return withFolder(folder, (inside) => new NotifyRelay(join(inside, notifyFolderName), manager));
    } catch (error) {
      closeSync(manager);
      throw fileError(`make the notify socket of container ${folder.id}`, error);
    }
  }

  /**
   * Waits until somebody in the container has said that it is ready, or its first process has ended. Nothing is
   * thrown when the manager does not hear of it: the container runs all the same.
   */
  wait(init: ProcessRef, warn: Tell): void {
    try {
      const told = withPidfd(init, (pidfd) => this.#forwardUntil(pidfd, init.pid)) ?? false;
      if (!told && !this.#drain(init.pid)) return;
      untilAcknowledged(this.sockets.manager, warn);
    } catch (error) {
      if (!(error instanceof TsrunError)) throw error;
      warn(error);
    }
  }

  #forwardUntil(pidfd: number, pid: number): boolean {
    for (;;) {
      const [spoke = false, ended = false] = poll([this.sockets.container, pidfd], -1);
      if (spoke && forwardReady(this.sockets.container, this.sockets.manager, pid)) return true;
      if (ended) return false;
    }
  }

  /** What it said before its end still counts, but no endless talk of somebody who outlives it. */
  #drain(pid: number): boolean {
    for (let count = 0; count < queueLength; count++) {
      if (poll([this.sockets.container], 0)[0] !== true) return false;
      if (forwardReady(this.sockets.container, this.sockets.manager, pid)) return true;
    }
    return false;
  }

  /** Whoever speaks from now on is told at once that nobody listens. */
  close(): void {
    for (const fd of [this.sockets.container, this.sockets.manager]) closeSync(fd);
    this.#unlink();
    closeSync(this.#folder);
  }

  /** By descriptor: the id may be another container's by now. */
  #unlink(): void {
    try {
      unlinkSync(`/proc/self/fd/${this.#folder}/${notifySocketName}`);
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw fileError(`remove the notify socket`, error);
    }
  }
}

/**
 * Tells the service manager, if there is one, that a restored container is ready: it goes on behind the moment when
 * it said so. `pid` is to be the service's main process; when the caller will end, it `waits` until the manager
 * knows. That it could not be told is a warning.
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
