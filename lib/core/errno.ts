import { constants } from 'node:os';

/** Words for the errnos that a container runtime meets, as strerror(3) has them: callers of tsrun match some of them. */
const words: Readonly<Record<string, string>> = {
  EPERM: 'operation not permitted',
  ENOENT: 'no such file or directory',
  ESRCH: 'no such process',
  EINTR: 'interrupted system call',
  EIO: 'input/output error',
  ENXIO: 'no such device or address',
  E2BIG: 'argument list too long',
  ENOEXEC: 'exec format error',
  EBADF: 'bad file descriptor',
  ECHILD: 'no child processes',
  EAGAIN: 'resource temporarily unavailable',
  ENOMEM: 'cannot allocate memory',
  EACCES: 'permission denied',
  EFAULT: 'bad address',
  EBUSY: 'device or resource busy',
  EEXIST: 'file exists',
  EXDEV: 'invalid cross-device link',
  ENODEV: 'no such device',
  ENOTDIR: 'not a directory',
  EISDIR: 'is a directory',
  EINVAL: 'invalid argument',
  ENFILE: 'too many open files in system',
  EMFILE: 'too many open files',
  ENOTTY: 'inappropriate ioctl for device',
  ETXTBSY: 'text file busy',
  EFBIG: 'file too large',
  ENOSPC: 'no space left on device',
  EROFS: 'read-only file system',
  EMLINK: 'too many links',
  EPIPE: 'broken pipe',
  ERANGE: 'numerical result out of range',
  EDEADLK: 'resource deadlock avoided',
  ENAMETOOLONG: 'file name too long',
  ENOSYS: 'function not implemented',
  ENOTEMPTY: 'directory not empty',
  ELOOP: 'too many levels of symbolic links',
  EPROTO: 'protocol error',
  EOVERFLOW: 'value too large for defined data type',
  EOPNOTSUPP: 'operation not supported',
  EADDRINUSE: 'address already in use',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset by peer',
  ETIMEDOUT: 'connection timed out',
  ESTALE: 'stale file handle',
  EDQUOT: 'disk quota exceeded',
  ENOKEY: 'required key not available',
};

type ErrnoName = keyof typeof constants.errno;

/** The number of each errno by its name (errno(3)), positive. */
export const errnos = constants.errno;

let names: ReadonlyMap<number, string> | undefined;

/** `ENOENT` for 2; `errno 4711` for a number without a name. */
export function errnoName(errno: number): string {
  // Of two names with one number (EAGAIN, EWOULDBLOCK) the one that has words comes last, and so counts.
  names ??= new Map(
    Object.entries(errnos)
      .sort(([a], [b]) => Number(a in words) - Number(b in words))
      .map(([name, value]) => [value, name]),
  );
  return names.get(errno) ?? `errno ${String(errno)}`;
}

/** An errno in words and by name: `no such file or directory (ENOENT)`. */
export function errnoText(errno: number): string {
  const name = errnoName(errno);
  const text = words[name];
  return text === undefined ? name : `${text} (${name})`;
}

/**
 * The positive errno of a system call that failed in node:fs or in `process`; undefined for any other error. A
 * TsrunError is another error, although it may have an errno of its own.
 */
export function errnoOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errno' in error) || typeof error.errno !== 'number') return undefined;
  // Bun names no system call for a path that is too long for it (ENAMETOOLONG).
  const failed = 'syscall' in error || ('code' in error && Object.hasOwn(errnos, String(error.code)));
  return failed ? Math.abs(error.errno) : undefined;
}

/** As errnoOf(), but throws what is no failed system call again: that is a bug, and nothing to ignore or explain. */
export function errnoOrRethrow(error: unknown): number {
  const errno = errnoOf(error);
  if (errno === undefined) throw error;
  return errno;
}

/**
 * True for a system call that failed in node:fs or in `process` with one of these errnos. By number, since two names
 * may be one errno: for EOPNOTSUPP, node:fs says ENOTSUP.
 */
export function hasErrno(error: unknown, ...anyOf: readonly ErrnoName[]): boolean {
  const errno = errnoOf(error);
  return anyOf.some((name) => errnos[name] === errno);
}
