import type { Receivers } from '../engine/receive-messages.ts';
import type { Init } from '../engine/launch-init.ts';
import { writeIdMaps } from '../engine/write-id-maps.ts';
import { processRef } from '../state/process.ts';
import type { ContainerRecord } from '../state/record.ts';
import { writeRecord } from '../state/store.ts';
import type { ContainerFolder } from '../state/folder.ts';
import { hookState } from './hook-state.ts';
import { InitHookStates } from './init-hook-states.ts';
import { joinResctrl } from './join-resctrl.ts';
import { moveNetDevices } from './move-net-devices.ts';
import type { PreparedContainer } from './prepare-container.ts';
import { ownEnvironment, runHooks } from './run-hooks.ts';
import { informAgent } from './seccomp-agent.ts';

/** A container that its init makes. */
export interface ContainerInit {
  prepared: PreparedContainer;
  folder: ContainerFolder;
  record: ContainerRecord;
  init: Init;
}

/** What only tsrun can do for the init of a container, when it asks for it. */
export function answersToInit(container: ContainerInit): Receivers {
  const { prepared, folder, record, init } = container;
  const { bundle, facts, plan } = prepared;
  const { config } = bundle;
  let states: InitHookStates | undefined;
  return {
    pid: () => {
      recordInit(container);
    },
    sync: {
      setup: () => {
        const { pid } = init.process;
        writeIdMaps(pid, config.linux, facts);
        moveNetDevices(pid, config.linux, init.undo);
        joinResctrl(pid, config.linux, folder, record, init.undo);
        states = InitHookStates.create(config.hooks, plan, record, init.undo);
        return { go: states?.fds ?? [] };
      },
      entered: () => {
        states?.write(record);
        return 'go';
      },
      hooks: () => {
        runRuntimeHooks(prepared, record, init.process.pidfd);
        return 'go';
      },
      ready: () => 'done',
    },
    waiting: () => 'done',
    listener: (listener) => {
      informAgent(config, hookState(record, 'creating'), init.process.pid, listener);
    },
  };
}

/** Writes down which process makes the container, or is its first one: `delete --force` must find it. */
export function recordInit({ folder, record, init }: ContainerInit): void {
  record.init = processRef(init.process.pid);
  writeRecord(folder, record);
}

/**
 * Runs the hooks prestart and createRuntime.
 * @param init pidfd of the container's process: hooks that outlive it are killed
 */
export function runRuntimeHooks(
  { bundle: { config } }: Pick<PreparedContainer, 'bundle'>,
  record: ContainerRecord,
  init: number,
): void {
  const env = ownEnvironment();
  const run = { env, init, untilSignal: true };
  // prestart predates the status `creating`: its hooks are given `created`.
  runHooks('prestart', config.hooks?.prestart, { ...run, state: hookState(record, 'created') });
  runHooks('createRuntime', config.hooks?.createRuntime, { ...run, state: hookState(record, 'creating') });
}
