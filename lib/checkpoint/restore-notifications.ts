import type { Notification } from './criu/call.ts';
import { systemError } from '../core/error.ts';
import { pidfdOpen } from '../native/pidfd.ts';
import { sendDescriptor } from '../native/socket.ts';
import type { Blueprint } from '../container/prepare-container.ts';
import { Child } from '../native/child.ts';
import { refer, runRuntimeHooks } from '../container/create-container.ts';
import type { ContainerRecord } from '../state/record.ts';
import { joinResctrl } from '../container/join-resctrl.ts';
import { writeRecord } from '../state/store.ts';
import type { ContainerFolder } from '../state/folder.ts';
import type { Undo } from '../core/undo.ts';

/** The container whose processes criu restores. */
export interface RestoredContainer {
  blueprint: Blueprint;
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
    const { console, ready } = this.#container;
    switch (script) {
      case 'setup-namespaces':
        this.#setUp(this.#recordInit(pid));
        break;
      case 'orphan-pts-master':
        if (console !== undefined && fds[0] !== undefined) sendDescriptor(console, '/dev/ptmx', fds[0]);
        break;
      case 'post-restore':
        ready(this.#recordInit(pid));
        break;
    }
  }

  /** The first process is the only one yet: the others inherit its groups in resctrl. */
  #setUp(init: Child): void {
    const { blueprint, folder, record, undo } = this.#container;
    joinResctrl(init.pid, blueprint.bundle.config.linux, folder, record, undo);
    runRuntimeHooks({ blueprint, record, init });
  }

  /** Opens the first process and writes it to the record, so that `delete --force` finds it. */
  #recordInit(pid: number): Child {
    if (this.init !== undefined) return this.init;
    const { undo, record, folder } = this.#container;
    const pidfd = pidfdOpen(pid);
    if (pidfd < 0) throw systemError(`open process ${pid}`, pidfd);
    const init = new Child(pid, pidfd);
    undo.always('close its process', () => {
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
