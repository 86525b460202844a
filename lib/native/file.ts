import { errnos } from '../core/errno.ts';
import { call, checked } from './library.ts';

const lockExclusive = 2;
const lockNonBlocking = 4;

/**
 * Takes the exclusive lock of an open file (flock(2)); it goes when the last descriptor of the open file does.
 * Returns false when another holds it and `wait` is false.
 *
 * @throws TsrunError 'system'
 */
export function flock(fd: number, { wait }: { wait: boolean } = { wait: true }): boolean {
  const result = call('tsrun_flock', fd, lockExclusive | (wait ? 0 : lockNonBlocking));
  if (result === -errnos.EWOULDBLOCK) return false;
  checked('lock a file', result);
  return true;
}

/**
 * Opens `path` below the directory `root`, which no link and no `..` leads out of (RESOLVE_IN_ROOT of openat2(2)).
 *
 * @param flags O_* of open(2).
 * @throws TsrunError 'system'
 */
export function openInRoot(root: number, path: string, flags: number): number {
  return checked(`open ${path}`, call('tsrun_open_in_root', root, path, flags));
}

/** Sets an extended attribute (xattr(7)) of a file, of a symbolic link itself. Returns 0 or -errno. */
export function setXattr(path: string, name: string, value: string): number {
  return call('tsrun_set_xattr', path, name, value);
}

/** Reads an extended attribute. Returns -errno when there is none, or when it is longer than 512 bytes. */
export function getXattr(path: string, name: string): string | number {
  const buffer = Buffer.allocUnsafe(512);
  const result = call('tsrun_get_xattr', path, name, buffer, buffer.length);
  return result < 0 ? result : buffer.toString('utf8', 0, result);
}
