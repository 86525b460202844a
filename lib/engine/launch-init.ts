import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { fileError, TsrunError } from '../core/error.ts';
import type { StdioEnds } from '../native/foreground.ts';
import { installation } from '../native/install.ts';
import { launcherNotes } from '../host/launcher-notes.ts';
import { sealedMemfd, sealedMemfdOfFile } from '../native/memfd.ts';
import { socketPair } from '../native/socket.ts';
import { spawn } from '../native/spawn.ts';
import type { Spawned } from '../native/spawn.ts';
import { Channel } from './channel.ts';
import { slots } from '../plan/wire.ts';

export interface LaunchRequest {
  /** The encoded plan. */
  plan: Uint8Array;
  /** How many descriptors from 3 on the container keeps. */
  preserveFds: number;
  /** What the init finds in its first slots, besides the sync socket. All stay open here. */
  start?: number | undefined;
  console?: number | undefined;
  cgroup?: number | undefined;
  container?: number | undefined;
  /** What becomes 0, 1 and 2: tsrun's own, unless given. */
  stdio?: StdioEnds | undefined;
}

export const ownStdio: StdioEnds = [0, 1, 2];

export interface Launched {
  /** Process A, our child. */
  process: Spawned;
  sync: Channel;
  /** What the processes of the init execute, as `dev:ino`. */
  image: string;
}

const firstKept = 3;

/**
 * Starts the init from a sealed copy in memory, with its descriptors where it expects them
 * (docs/architecture.md, "Processes"), and an empty environment.
 */
export function launchInit(request: LaunchRequest): Launched {
  const open: number[] = [];
  const keep = (fd: number): number => {
    open.push(fd);
    return fd;
  };
  const [sync, theirSync] = socketPair();
  keep(theirSync);
  let launched = false;
  try {
    const plan = keep(sealedMemfd('plan', request.plan));
    const image = keep(sealedMemfdOfFile('tsrun-init', installation().init));
    const { dev, ino } = fstatSync(image, { bigint: true });
    const first = firstKept + request.preserveFds;
    const kept = Array.from({ length: request.preserveFds }, (_, index) => firstKept + index);
    const slotFds = new Array<number>(slots.first).fill(-1);
    slotFds[slots.sync] = theirSync;
    slotFds[slots.start] = request.start ?? -1;
    slotFds[slots.console] = request.console ?? -1;
    slotFds[slots.cgroup] = request.cgroup ?? -1;
    slotFds[slots.container] = request.container ?? -1;
    const process = spawn({
      executable: image,
      args: ['tsrun-init', String(first)],
      env: [],
      fds: [...(request.stdio ?? ownStdio), ...kept, plan, ...slotFds],
      restoreLimits: true,
      // Its children must not inherit the caller's terminal: who traces one of them could write to it.
      newSession: true,
    });
    launched = true;
    return { process, sync: new Channel(sync, { mayUsePipes: true }), image: `${dev}:${ino}` };
  } finally {
    open.forEach((fd) => {
      closeSync(fd);
    });
    if (!launched) closeSync(sync);
  }
}

/** The cgroup v2 directory a process is cloned into, opened for launchInit. */
export function openCgroup(path: string | undefined): number | undefined {
  if (path === undefined) return undefined;
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    throw fileError(`open the cgroup ${path}`, error);
  }
}

/**
 * Throws unless tsrun was given each of the descriptors the container is to keep. That one is open says
 * nothing: it may be the engine's own.
 */
export function checkPreservedFds(count: number): void {
  const given = launcherNotes().inheritedFds ?? 0;
  if (count <= given) return;
  throw new TsrunError('usage', `descriptor ${firstKept + given} is to be preserved but is not open`, {
    hint: '--preserve-fds N and LISTEN_FDS=N speak of the descriptors from 3 on',
  });
}
