import type { Notification } from './criu/call.ts';
import { openPidfd } from '../native/pidfd.ts';
import { sendDescriptor } from '../native/socket.ts';
import type { PreparedContainer } from '../container/prepare-container.ts';
import { Child } from '../native/child.ts';
import { runRuntimeHooks } from '../container/answer-init.ts';
import { ownChild } from '../engine/open-child.ts';
import { processRef } from '../state/process.ts';
import type { ContainerRecord } from '../state/record.ts';
import { joinResctrl } from '../container/join-resctrl.ts';
import { writeRecord } from '../state/store.ts';
import type { ContainerFolder } from '../state/folder.ts';
import type { Undo } from '../core/undo.ts';

/** The container whose processes criu restores. */
export interface RestoredContainer {
  prepared: PreparedContainer;
  folder: ContainerFolder;
  record: ContainerRecord;
  undo: Undo;
  /** Connected socket that gets the terminal. */
  console: number | undefined;
  /** Called when all processes are restored, before they run. */
  ready: (init: Child) => void;
}

/** Does what is due at the points of a restore at which criu waits for tsrun. */
export class RestoreNotifications {
  /** The container's first process, once criu has made it. */
  init: Child | undefined;
  readonly #container: RestoredContainer;

  constructor(container: RestoredContainer) {
    this.#container = container;
  }

  handle({ script, pid, fds }: Notification): void {
    const { console: consoleSocket, ready } = this.#container;
    switch (script) {
      case 'setup-namespaces':
        this.#setUp(this.#recordInit(pid));
        break;
      case 'orphan-pts-master':
        if (consoleSocket !== undefined && fds[0] !== undefined)
          sendDescriptor(consoleSocket, '/dev/ptmx', fds[0]);
        break;
      case 'post-restore':
        ready(this.#recordInit(pid));
        break;
    }
  }

  /** The first process is the only one yet: the others inherit its groups in resctrl. */
  #setUp(init: Child): void {
    const { prepared, folder, record, undo } = this.#container;
    joinResctrl(init.pid, prepared.bundle.config.linux, folder, record, undo);
    runRuntimeHooks(prepared, record, init.pidfd);
  }

  /** Opens the first process and writes it to the record, so that `delete --force` finds it. */
  #recordInit(pid: number): Child {
    if (this.init !== undefined) return this.init;
    const { undo, record, folder } = this.#container;
    const pidfd = openPidfd(pid);
    const init = new Child(pid, pidfd);
    ownChild(init, undo);
    record.init = processRef(pid);
    writeRecord(folder, record);
    this.init = init;
    return init;
  }
}
