import { TsrunError, systemError } from '../core/error.ts';
import { launcherNotes } from '../host/launcher-notes.ts';
import { call } from './library.ts';
import { spawnFlags, spawnHead, spawnSteps } from './signatures.ts';

export interface SpawnRequest {
  /** The program: a descriptor (execveat(2) with AT_EMPTY_PATH) or an absolute path. */
  executable: number | string;
  args: readonly string[];
  /** The whole environment of the child, `NAME=value` each. */
  env: readonly string[];
  /** Descriptor i of the child is a copy of `fds[i]`; -1 leaves it closed. All others are closed. */
  fds: readonly number[];
  /** Gives the child the soft RLIMIT_NOFILE and RLIMIT_CORE that tsrun was started with; the engine has others. */
  restoreLimits: boolean;
  /** Working directory of the child; tsrun's when absent. */
  cwd?: string;
  /** Makes the child the leader of a new session (setsid(2)), without a controlling terminal. */
  newSession?: boolean;
  /** Kills the child (SIGKILL) when tsrun ends first, also when tsrun is killed. */
  endWithTsrun?: boolean;
}

export interface Spawned {
  pid: number;
  /** Readable when the child has ended; the caller closes it. */
  pidfd: number;
}

/**
 * Starts a program, and returns when execve(2) can no longer fail; its /proc/<pid>/cmdline may still be empty. The
 * child has every signal at its default, none blocked, and no descriptors but those of `fds`. It outlives tsrun.
 *
 * @throws TsrunError 'system' when a step up to execve failed; there is no child then. 'config' for a NUL byte.
 */
export function spawn(request: SpawnRequest): Spawned {
  const { executable, args, env, fds, cwd = '' } = request;
  const byPath = typeof executable === 'string';
  const path = byPath ? executable : '';
  const what = byPath ? executable : (args[0] ?? `descriptor ${String(executable)}`);
  const strings = [path, cwd, ...args, ...env];
  const withNul = strings.find((text) => text.includes('\0'));
  if (withNul !== undefined) {
    throw new TsrunError('config', `execute ${what}: ${JSON.stringify(withNul)} contains a NUL byte`);
  }
  const { nofile, core } = request.restoreLimits ? launcherNotes() : { nofile: undefined, core: undefined };
  const words: Record<keyof typeof spawnHead, number> = {
    executable: byPath ? -1 : executable,
    nofile: nofile ?? -1,
    coreLow: Number(BigInt.asIntN(32, core ?? 0n)),
    coreHigh: Number(BigInt.asIntN(32, (core ?? 0n) >> 32n)),
    flags:
      (request.newSession === true ? spawnFlags.setsid : 0) |
      (request.endWithTsrun === true ? spawnFlags.dieWithParent : 0) |
      (core === undefined ? 0 : spawnFlags.restoreCore),
    argc: args.length,
    envc: env.length,
    fdCount: fds.length,
  };
  const names = Object.keys(spawnHead) as (keyof typeof spawnHead)[];
  const head = Int32Array.of(...names.map((name) => words[name]), ...fds);
  const text = Buffer.from(`${strings.join('\0')}\0`);
  const out = new Int32Array(3);
  const result = call('tsrun_spawn', head, head.length, text, text.length, out);
  const [pid = -1, pidfd = -1, step = 0] = out;
  if (result < 0) throw systemError(describeStep(step, what, cwd), result);
  return { pid, pidfd };
}

function describeStep(step: number, what: string, cwd: string): string {
  switch (step) {
    case spawnSteps.exec:
      return `execute ${what}`;
    case spawnSteps.fds:
      return `execute ${what}: place its descriptors`;
    case spawnSteps.limits:
      return `execute ${what}: restore its limits`;
    case spawnSteps.cwd:
      return `execute ${what}: enter its directory ${cwd}`;
    case spawnSteps.setsid:
      return `execute ${what}: new session`;
    default:
      return `start a process for ${what}`;
  }
}
