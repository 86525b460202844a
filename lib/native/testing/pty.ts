import koffi from 'koffi';
import { systemError } from '../../core/error.ts';
import { setCloexec } from './libc.ts';

/** Pseudoterminals for tests, from the C library: the product itself gets its ptys from the init. */
const libc = koffi.load('libc.so.6');
const openptyNative = libc.func('int openpty(_Out_ int *, _Out_ int *, void *, void *, void *)');
const ioctlNative = libc.func('int ioctl(int, unsigned long, void *)');
const tcgetattrNative = libc.func('int tcgetattr(int, void *)');

const TIOCGWINSZ = 0x5413;
const TIOCSWINSZ = 0x5414;
const ICANON = 2;

export interface Size {
  rows: number;
  columns: number;
}

function check(result: unknown, what: string): void {
  if (typeof result !== 'number' || result < 0) throw systemError(what, koffi.errno());
}

export function openPty(): { master: number; slave: number } {
  const master = [0];
  const slave = [0];
  check(openptyNative(master, slave, null, null, null), 'openpty');
  const pty = { master: master[0] ?? -1, slave: slave[0] ?? -1 };
  // A program started by a test must not keep the other end of its own terminal open.
  setCloexec(pty.master, true);
  setCloexec(pty.slave, true);
  return pty;
}

export function setSize(fd: number, size: Size): void {
  check(ioctlNative(fd, TIOCSWINSZ, Uint16Array.of(size.rows, size.columns, 0, 0)), 'TIOCSWINSZ');
}

export function getSize(fd: number): Size {
  const size = new Uint16Array(4);
  check(ioctlNative(fd, TIOCGWINSZ, size), 'TIOCGWINSZ');
  return { rows: size[0] ?? 0, columns: size[1] ?? 0 };
}

/** True when the terminal edits lines (is not raw). */
export function isCooked(fd: number): boolean {
  const termios = new Uint32Array(32);
  check(tcgetattrNative(fd, termios), 'tcgetattr');
  return ((termios[3] ?? 0) & ICANON) !== 0;
}
