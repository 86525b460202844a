import { native } from './library.ts';
import type { Native } from './library.ts';

const setNative: Native<[string, string, string]> = native(
  'int tsrun_set_xattr(const char *, const char *, const char *)',
);
const getNative: Native<[string, string, Uint8Array, number]> = native(
  'int tsrun_get_xattr(const char *, const char *, void *, unsigned int)',
);

/** Sets an extended attribute (xattr(7)) of a file, which is no link; 0 or -errno. */
export function setXattr(path: string, name: string, value: string): number {
  return setNative(path, name, value);
}

/** The value of an extended attribute of at most 512 bytes; -errno without it, or when it is longer. */
export function getXattr(path: string, name: string): string | number {
  const buffer = Buffer.allocUnsafe(512);
  const result = getNative(path, name, buffer, buffer.length);
  return result < 0 ? result : buffer.toString('utf8', 0, result);
}
