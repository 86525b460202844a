import { errnoOf, errnoText } from './errno.ts';
import { shortenMessage, printable } from './message-text.ts';
import type { Source } from './source.ts';

/** A stable name for each class of failure. Code matches these names, never the words of a reason. */
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
  | 'interrupted' // a signal ended the command before the program ran
  | 'internal';

export interface ErrorDetails {
  /** JSON pointer (RFC 6901) of the property at fault, from the root of config.json. */
  pointer?: string | undefined;
  /** Where the user wrote that property. */
  source?: Source | undefined;
  /** What the user can do about it, one sentence. */
  hint?: string | undefined;
  /** Positive errno of the failed system call. */
  errno?: number | undefined;
  /** Exit status of the command; 1 unless given. */
  exitCode?: number | undefined;
  cause?: unknown;
}

/**
 * Every failure that tsrun explains to its user, as data. `reason` (and `message`, which is the same) says what is
 * wrong, without the place in the config, its value or the hint: cmd/tsrun/render.ts puts them together. It is one
 * line, safe to print. Words too long to be read are cut.
 */
export class TsrunError extends Error {
  readonly code: ErrorCode;
  readonly reason: string;
  readonly pointer: string | undefined;
  source: Source | undefined;
  readonly hint: string | undefined;
  readonly errno: number | undefined;
  readonly exitCode: number;

  constructor(code: ErrorCode, reason: string, details: ErrorDetails = {}) {
    const brief = printable(shortenMessage(reason));
    super(brief, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'TsrunError';
    this.code = code;
    this.reason = brief;
    this.pointer = details.pointer;
    this.source = details.source;
    this.hint = details.hint === undefined ? undefined : printable(shortenMessage(details.hint));
    this.errno = details.errno;
    this.exitCode = details.exitCode ?? 1;
  }

  /** The same failure with other details; this one is its cause. */
  with(changes: ErrorDetails & { code?: ErrorCode; reason?: string }): TsrunError {
    const { code = this.code, reason = this.reason, ...details } = changes;
    const { pointer, source, hint, errno, exitCode } = this;
    return new TsrunError(code, reason, { pointer, source, hint, errno, exitCode, cause: this, ...details });
  }
}

/**
 * Runs a step whose errors name properties of the config, and notes in them where the user wrote the property.
 *
 * @param sourceOf by the property's pointer; asked only when there is an error.
 */
export function withSource<T>(sourceOf: (pointer: string) => Source | undefined, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (error instanceof TsrunError && error.pointer !== undefined && error.pointer !== '') {
      error.source ??= sourceOf(error.pointer);
    }
    throw error;
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
 * An exception of node:fs in words, as systemError does it: `fileError('write /a', error)`. Returns anything else as
 * it is.
 */
export function fileError(what: string, error: unknown, details: ErrorDetails = {}): unknown {
  const errno = errnoOf(error);
  return errno === undefined ? error : systemError(what, errno, { ...details, cause: error });
}

/** A failed call of lib/native in words of the caller, who knows what it was for; else as fileError(). */
export function nativeError(what: string, error: unknown): unknown {
  return error instanceof TsrunError && error.code === 'system' && error.errno !== undefined
    ? systemError(what, error.errno, { cause: error })
    : fileError(what, error);
}
