import { errnoText } from './errno.ts';
import { briefMessage } from './printable.ts';

/**
 * A stable name for each class of failure. Callers of tsrun match words in the messages; code of ours
 * matches these names.
 */
export type ErrorCode =
  | 'usage' // the command line is wrong
  | 'bundle' // the bundle or config.json cannot be read
  | 'config' // config.json says something that is invalid
  | 'unsupported' // valid, but this host cannot do it
  | 'id' // the container id is malformed or already in use
  | 'not-found' // container does not exist
  | 'state' // the container is in the wrong state for the operation
  | 'system' // a system call failed
  | 'init' // an operation of the plan failed in the init
  | 'hook' // a hook failed
  | 'corrupt' // our own state on disk cannot be understood
  | 'untrusted' // where our state should be, somebody else can write
  | 'internal';

export interface ErrorDetails {
  /** JSON pointer (RFC 6901) into config.json of the property at fault. */
  pointer?: string;
  /** What the user can do about it, one sentence. */
  hint?: string;
  /** Positive errno of the failed system call. */
  errno?: number;
  /** Exit status of the command; 1 unless given. */
  exitCode?: number;
  cause?: unknown;
}

/**
 * Every failure tsrun explains to its user. `message` is complete without the other fields: what failed,
 * where and why. It is one line; the hint is printed after it. Words too long to be read are cut in both.
 */
export class TsrunError extends Error {
  readonly code: ErrorCode;
  readonly pointer: string | undefined;
  readonly hint: string | undefined;
  readonly errno: number | undefined;
  readonly exitCode: number;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(briefMessage(message), details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'TsrunError';
    this.code = code;
    this.pointer = details.pointer;
    this.hint = details.hint === undefined ? undefined : briefMessage(details.hint);
    this.errno = details.errno;
    this.exitCode = details.exitCode ?? 1;
  }
}

/**
 * A failed system call in words: `systemError('open /a/b', -2)` says
 * `open /a/b: no such file or directory (ENOENT)`. Takes the errno with either sign.
 */
export function systemError(what: string, errno: number, details: ErrorDetails = {}): TsrunError {
  const positive = Math.abs(errno);
  return new TsrunError('system', `${what}: ${errnoText(positive)}`, { ...details, errno: positive });
}

/**
 * The same for an exception of node:fs, whose own message is not for users: `fileError('write /a', error)`.
 * Something that is no system error is passed on as it is.
 */
export function fileError(what: string, error: unknown, details: ErrorDetails = {}): unknown {
  const errno = errnoOf(error);
  return errno === undefined ? error : systemError(what, errno, { ...details, cause: error });
}

/** The positive errno of an exception of node:fs; undefined when it is something else. */
export function errnoOf(error: unknown): number | undefined {
  return error instanceof Error && 'errno' in error && typeof error.errno === 'number'
    ? Math.abs(error.errno)
    : undefined;
}
