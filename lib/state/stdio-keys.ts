import { fstatSync, readFileSync, readlinkSync } from 'node:fs';
import type { StdioEnds } from '../native/foreground.ts';

/**
 * Names of a container's stdin, stdout and stderr as criu's --inherit-fd takes them: `pipe:[12]`, `socket:[12]`,
 * `file[1f:a2]` (mount id and inode, both hexadecimal). A restore replaces the descriptors by these names. The name of
 * /dev/null begins with `null:`. '' for a terminal, which criu restores by other means, and for a descriptor that
 * cannot be read from /proc.
 */
export function stdioKeys(stdio: StdioEnds): string[] {
  return stdio.map(keyOf);
}

/** Device number of /dev/null (null(4)): major 1, minor 3. */
const devNull = 0x103n;

function keyOf(fd: number): string {
  try {
    const target = readlinkSync(`/proc/self/fd/${fd}`);
    if (/^(pipe|socket):\[\d+\]$/.test(target)) return target;
    if (target.startsWith('/dev/pts/') || target.startsWith('/dev/tty') || target === '/dev/console')
      return '';
    const mount = /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1];
    if (mount === undefined) return '';
    const { ino, rdev } = fstatSync(fd, { bigint: true });
    return `${rdev === devNull ? 'null:' : ''}file[${hex(mount)}:${hex(ino)}]`;
  } catch {
    return '';
  }
}

function hex(value: string | bigint): string {
  return BigInt(value).toString(16);
}
