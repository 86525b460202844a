import { constants as os } from 'node:os';
import { systemError } from '../core/error.ts';
import { native } from './library.ts';
import type { Native } from './library.ts';

const flockNative: Native<[number, number]> = native('int tsrun_flock(int, int)');
const openat2Native: Native<[number, string, Uint8Array]> = native(
  'int tsrun_openat2(int, const char *, const void *)',
);
const umountNative: Native<[string, number]> = native('int tsrun_umount2(const char *, int)');
const cloexecNative: Native<[number, number]> = native('int tsrun_set_cloexec(int, int)');

/** RESOLVE_* of openat2(2). */
export const resolveFlags = {
  noXdev: 0x01,
  noMagiclinks: 0x02,
  noSymlinks: 0x04,
  beneath: 0x08,
  inRoot: 0x10,
} as const;

export interface Openat2Request {
  /** O_* of open(2); O_CLOEXEC is always added. */
  flags: number;
  /** Mode of a file that O_CREAT makes. */
  mode?: number;
  /** Bits of resolveFlags. */
  resolve: number;
}

/** LOCK_* of flock(2). */
const lockOperations = { shared: 1, exclusive: 2, unlock: 8 } as const;
const lockNonBlocking = 4;

/**
 * flock(2) on an open file: the lock belongs to the open file and goes when its last descriptor does. False
 * only when `wait` is false and somebody else holds it.
 */
export function flock(
  fd: number,
  operation: 'exclusive' | 'shared' | 'unlock',
  { wait }: { wait: boolean } = { wait: true },
): boolean {
  const result = flockNative(fd, lockOperations[operation] | (wait ? 0 : lockNonBlocking));
  if (result === -os.errno.EWOULDBLOCK) return false;
  if (result < 0) throw systemError('lock a file', result);
  return true;
}

/** openat2(2) of `path` below the directory `dirfd`. Throws systemError, whose `errno` tells what happened. */
export function openat2(dirfd: number, path: string, request: Openat2Request): number {
  const how = Buffer.alloc(24);
  how.writeBigUInt64LE(BigInt(request.flags >>> 0), 0);
  how.writeBigUInt64LE(BigInt(request.mode ?? 0), 8);
  how.writeBigUInt64LE(BigInt(request.resolve), 16);
  const result = openat2Native(dirfd, path, how);
  if (result < 0) throw systemError(`open ${path}`, result);
  return result;
}

/** umount2(2) with MNT_* and UMOUNT_* flags; 0, or -errno: -EINVAL when nothing is mounted there. */
export function umount2(path: string, flags: number): number {
  return umountNative(path, flags);
}

/** Sets or clears FD_CLOEXEC. */
export function setCloexec(fd: number, on: boolean): void {
  const result = cloexecNative(fd, on ? 1 : 0);
  if (result < 0) throw systemError(`descriptor ${String(fd)}`, result);
}
