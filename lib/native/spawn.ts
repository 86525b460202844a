import { TsrunError, systemError } from '../core/error.ts';
import { native } from './library.ts';
import type { Native } from './library.ts';
import { startedWith } from '../host/origin.ts';

export interface SpawnRequest {
  /** What to execute: a descriptor (execveat with AT_EMPTY_PATH) or an absolute path. */
  executable: number | string;
  args: readonly string[];
  /** The whole environment of the child, `NAME=value` each. */
  env: readonly string[];
  /** Descriptor i of the child is a copy of `fds[i]`; -1 leaves it closed. All others are closed. */
  fds: readonly number[];
  /** Give the child the soft RLIMIT_NOFILE and RLIMIT_CORE tsrun was started with: the engine runs with others. */
  restoreLimits: boolean;
  /** Directory of the child; the caller's when absent. */
  cwd?: string;
  /** The child leads a session of its own (setsid(2)), without a controlling terminal. */
  newSession?: boolean;
  /** The child is killed (SIGKILL) when tsrun ends before it does, however that happens. */
  endWithTsrun?: boolean;
}

export interface Spawned {
  pid: number;
  /** Becomes readable when the child ends; the caller closes it. */
  pidfd: number;
}

const spawnNative: Native<[Int32Array, number, Uint8Array, number, Int32Array]> = native(
  'int tsrun_spawn(const void *, unsigned int, const void *, unsigned int, void *)',
);

const newSessionFlag = 1;
const endWithTsrunFlag = 2;
const restoreCoreFlag = 4;

/**
 * Starts a program and returns once execve(2) can no longer fail (its /proc/<pid>/cmdline may still be empty).
 * The child starts as a program expects to be started: every signal at its default and none blocked, no
 * descriptor but those of `fds`. It lives on when tsrun ends. Throws when a step up to execve failed; then
 * there is no child.
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
  const { nofile, core } = request.restoreLimits ? startedWith() : { nofile: undefined, core: undefined };
  const head = Int32Array.of(
    byPath ? -1 : executable,
    nofile ?? -1,
    Number(BigInt.asIntN(32, core ?? 0n)),
    Number(BigInt.asIntN(32, (core ?? 0n) >> 32n)),
    (request.newSession === true ? newSessionFlag : 0) |
      (request.endWithTsrun === true ? endWithTsrunFlag : 0) |
      (core === undefined ? 0 : restoreCoreFlag),
    args.length,
    env.length,
    fds.length,
    ...fds,
  );
  const text = Buffer.from(`${strings.join('\0')}\0`);
  const out = new Int32Array(3);
  const result = spawnNative(head, head.length, text, text.length, out);
  const [pid = -1, pidfd = -1, step = 0] = out;
  if (result < 0) throw systemError(describeStep(step, what, cwd), result);
  return { pid, pidfd };
}

/** The steps of tsrun_spawn (native-shim/lib/spawn.c), which says which one failed. */
function describeStep(step: number, what: string, cwd: string): string {
  switch (step) {
    case 1:
      return `execute ${what}`;
    case 2:
      return `execute ${what}: place its descriptors`;
    case 3:
      return `execute ${what}: restore its limits`;
    case 4:
      return `execute ${what}: enter its directory ${cwd}`;
    case 5:
      return `execute ${what}: new session`;
    default:
      return `start a process for ${what}`;
  }
}
