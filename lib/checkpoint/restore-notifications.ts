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

/** The container that criu is to restore. */
export interface Expected {
  blueprint: Blueprint;
  folder: ContainerFolder;
  record: ContainerRecord;
  undo: Undo;
  /** Connected socket that gets the terminal. */
  console: number | undefined;
  /** All is restored, and nothing runs yet. */
  ready: (init: Child) => void;
}

/** Follows a restore: the first process as soon as there is one, its hooks, its terminal. */
export class Revived {
  init: Child | undefined;
  readonly #expected: Expected;

  constructor(expected: Expected) {
    this.#expected = expected;
  }

  notice({ script, pid, fds }: Notification): void {
    const { console, ready } = this.#expected;
    switch (script) {
      case 'setup-namespaces':
        this.#setUp(this.#meet(pid));
        break;
      case 'orphan-pts-master':
        if (console !== undefined && fds[0] !== undefined) sendDescriptor(console, '/dev/ptmx', fds[0]);
        break;
      case 'post-restore':
        ready(this.#meet(pid));
        break;
    }
  }

  /** Its other processes do not exist yet: they are born into what the first one is in. */
  #setUp(init: Child): void {
    const { blueprint, folder, record, undo } = this.#expected;
    const { bundle } = blueprint;
    joinResctrl(init.pid, bundle.config.linux, folder, record, undo);
    runRuntimeHooks({ blueprint, record, init });
  }

  #meet(pid: number): Child {
    if (this.init !== undefined) return this.init;
    const { undo, record, folder } = this.#expected;
    const pidfd = pidfdOpen(pid);
    if (pidfd < 0) throw systemError(`open process ${pid}`, pidfd);
    const init = new Child(pid, pidfd);
    undo.always('put away its process', () => {
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
