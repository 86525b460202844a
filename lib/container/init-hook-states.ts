import { ftruncateSync, writeSync } from 'node:fs';
import type { Undo } from '../core/undo.ts';
import { memfd, sealedMemfd } from '../native/memfd.ts';
import type { Hooks } from '../config/types.ts';
import type { Plan } from '../plan/types.ts';
import { syncPoints } from '../plan/wire.ts';
import type { ContainerRecord } from '../state/record.ts';
import { innerHookState } from './hook-state.ts';
import { closeAll } from '../host/filesystem.ts';

/** The states that the hooks which the init runs read on stdin: one memfd for createContainer, one for startContainer. */
export class InitHookStates {
  readonly fds: readonly number[];

  constructor(fds: readonly number[], undo: Undo) {
    this.fds = fds;
    undo.always('close the states of its hooks', () => {
      closeAll(fds);
    });
  }

  /** Undefined when the config has no such hooks. */
  static create(
    { createContainer = [], startContainer = [] }: Hooks = {},
    plan: Plan,
    record: ContainerRecord,
    undo: Undo,
  ): InitHookStates | undefined {
    if (createContainer.length + startContainer.length === 0) return undefined;
    const texts = stateTexts(record);
    if (!knowsPidLate(plan)) {
      return new InitHookStates(
        texts.map((text) => sealedMemfd('state', text)),
        undo,
      );
    }
    const states = new InitHookStates(
      texts.map(() => memfd('state')),
      undo,
    );
    states.write(record);
    return states;
  }

  /** Writes the states again, with the pid that is in the record now. */
  write(record: ContainerRecord): void {
    stateTexts(record).forEach((text, index) => {
      const fd = this.fds[index];
      if (fd === undefined) return;
      ftruncateSync(fd);
      writeSync(fd, text, 0, text.length, 0);
    });
  }
}

/** In a pid namespace that is joined the process exists only when the hooks have the memfds already. */
function knowsPidLate({ ops }: Plan): boolean {
  return ops.some((op) => op.op === 'sync' && op.point === syncPoints.entered);
}

function stateTexts(record: ContainerRecord): Buffer[] {
  return (['creating', 'created'] as const).map((status) =>
    Buffer.from(JSON.stringify(innerHookState(record, status))),
  );
}
