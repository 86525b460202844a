import { fstatSync, readFileSync, readlinkSync } from 'node:fs';
import type { StdioEnds } from '../native/foreground.ts';

/**
 * What the stdin, stdout and stderr of a container are, in the words of criu's --inherit-fd: `pipe:[12]`, `socket:[12]`,
 * `file[1f:a2]` (mount id and inode, both hexadecimal). A container that gets them and is restored from a
 * checkpoint gets others instead, by these names. A terminal has none: criu restores it by other means. Neither has
 * a descriptor that cannot be looked at. Before that of /dev/null is `null:`.
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
