/** Calls of the C library that tests need and the product does not. */
import koffi from 'koffi';
import { systemError } from '../../core/error.ts';
import { poll } from '../poll.ts';
import { bindSocket } from '../socket.ts';

const libc = koffi.load('libc.so.6');
const fcntl = libc.func('int fcntl(int, int, ...)');
const listen = libc.func('int listen(int, int)');
const accept4 = libc.func('int accept4(int, void *, void *, int)');

const F_SETFD = 2;
const FD_CLOEXEC = 1;
const SOCK_CLOEXEC = 0o2000000;

function check(result: unknown, what: string): number {
  if (typeof result !== 'number' || result < 0) throw systemError(what, koffi.errno());
  return result;
}

export function setCloexec(fd: number, on: boolean): void {
  check(fcntl(fd, F_SETFD, 'int', on ? FD_CLOEXEC : 0), 'F_SETFD');
}

/** As bindSocket(), and listens. */
export function listenSocket(dir: string, name: string): number {
  const sock = bindSocket(dir, name);
  check(listen(sock, 16), 'listen');
  return sock;
}

/** The next connection, or undefined when none comes within `timeoutMs`. */
export function acceptSocket(listener: number, timeoutMs: number): number | undefined {
  if (poll([listener], timeoutMs)[0] !== true) return undefined;
  return check(accept4(listener, null, null, SOCK_CLOEXEC), 'accept4');
}
