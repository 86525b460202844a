import { constants, fstatSync, openSync } from 'node:fs';
import { fileError, TsrunError } from '../core/error.ts';
import type { StdioEnds } from '../native/foreground.ts';
import { installation } from '../native/install.ts';
import { launcherNotes } from '../host/launcher-notes.ts';
import { sealedMemfd, sealedMemfdOfFile } from '../native/memfd.ts';
import { socketPair } from '../native/socket.ts';
import { spawn } from '../native/spawn.ts';
import type { Undo } from '../core/undo.ts';
import { Child } from '../native/child.ts';
import { Channel } from './channel.ts';
import { ownChild } from './open-child.ts';
import { slots } from '../plan/wire.ts';
import { closeAll } from '../host/filesystem.ts';

export interface LaunchRequest {
  /** The encoded plan. */
  plan: Uint8Array;
  /** How many descriptors from 3 on the container keeps. */
  preserveFds: number;
  /** What the init finds in its first slots, besides the sync socket. All stay open here. */
  start?: number | undefined;
  console?: number | undefined;
  /** Directory of the cgroup v2 that a process is cloned into (CLONE_INTO_CGROUP). */
  cgroup?: string | undefined;
  /** A pidfd of the container's first process, for exec. */
  container?: number | undefined;
  /** What becomes 0, 1 and 2: tsrun's own, unless given. */
  stdio?: StdioEnds | undefined;
}

export const ownStdio: StdioEnds = [0, 1, 2];

/** A running init. */
export interface Init {
  readonly channel: Channel;
  /** What the processes of the init execute, as `dev:ino`. */
  readonly image: string;
  /** Process A at first, then the process that continues the plan, in the end the container's. */
  process: Child;
  /** Ends the init when something fails later. */
  readonly undo: Undo;
}

const firstKept = 3;

/**
 * Starts the init from a sealed copy in memory, with its descriptors where it expects them
 * (docs/architecture.md, "Processes"), and an empty environment.
 */
export function launchInit(request: LaunchRequest, undo: Undo): Init {
  const open: number[] = [];
  const closeLater = (fd: number): number => {
    open.push(fd);
    return fd;
  };
  const [sync, theirSync] = socketPair();
  closeLater(theirSync);
  const channel = new Channel(sync, { mayUsePipes: true });
  undo.always('close the channel to the init', () => {
    channel.close();
  });
  try {
    const plan = closeLater(sealedMemfd('plan', request.plan));
    const image = closeLater(sealedMemfdOfFile('tsrun-init', installation().init));
    const cgroup = request.cgroup === undefined ? -1 : closeLater(openCgroup(request.cgroup));
    const { dev, ino } = fstatSync(image, { bigint: true });
    const first = firstKept + request.preserveFds;
    const kept = Array.from({ length: request.preserveFds }, (_, index) => firstKept + index);
    const slotFds = new Array<number>(slots.first).fill(-1);
    slotFds[slots.sync] = theirSync;
    slotFds[slots.start] = request.start ?? -1;
    slotFds[slots.console] = request.console ?? -1;
    slotFds[slots.cgroup] = cgroup;
    slotFds[slots.container] = request.container ?? -1;
    const { pid, pidfd } = spawn({
      executable: image,
      args: ['tsrun-init', String(first)],
      env: [],
      fds: [...(request.stdio ?? ownStdio), ...kept, plan, ...slotFds],
      restoreLimits: true,
      // Its children must not inherit the caller's terminal: who traces one of them could write to it.
      newSession: true,
    });
    const child = new Child(pid, pidfd);
    ownChild(child, undo);
    return { channel, image: `${dev}:${ino}`, process: child, undo };
  } finally {
    closeAll(open);
  }
}

function openCgroup(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    throw fileError(`open the cgroup ${path}`, error);
  }
}

/**
 * Checks that tsrun was started with each of the descriptors that the container is to keep. One that is merely open
 * may be the engine's own.
 * @throws TsrunError 'usage'
 */
export function checkPreservedFds(count: number): void {
  const given = launcherNotes().inheritedFds ?? 0;
  if (count <= given) return;
  throw new TsrunError('usage', `descriptor ${firstKept + given} is to be preserved but is not open`, {
    hint: '--preserve-fds N and LISTEN_FDS=N speak of the descriptors from 3 on',
  });
}
