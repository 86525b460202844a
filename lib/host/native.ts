/**
 * The only door to native code: libtsrun.so through koffi. Everything here is synchronous; functions that
 * can fail return -errno (systemError of lib/errors.ts makes it a message) unless they say otherwise.
 */

export interface SpawnRequest {
  /** What to execute: a descriptor (execveat with AT_EMPTY_PATH) or an absolute path. */
  executable: number | string;
  args: readonly string[];
  env: readonly string[];
  /** Descriptor i of the child is a copy of `fds[i]`; -1 leaves it closed. All others are closed. */
  fds: readonly number[];
  /** Give the child the soft RLIMIT_NOFILE tsrun was started with, which the engine has raised. */
  restoreNofile: boolean;
  /** Directory of the child; the caller's when absent. */
  cwd?: string;
}

/** One packet of the sync or start socket (messages of lib/plan/wire.ts). */
export interface Message {
  type: number;
  op: number;
  errno: number;
  value: number;
  detail: string;
}
