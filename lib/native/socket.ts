import { constants as os } from 'node:os';
import { systemError } from '../core/error.ts';
import { native } from './library.ts';
import type { Native } from './library.ts';

const pairNative: Native<[Int32Array]> = native('int tsrun_socketpair(void *)');
const listenNative: Native<[string, string]> = native('int tsrun_listen(const char *, const char *)');
const bindNative: Native<[string, string]> = native('int tsrun_bind(const char *, const char *)');
const connectNative: Native<[string, string]> = native('int tsrun_connect(const char *, const char *)');
const connectStreamNative: Native<[string]> = native('int tsrun_connect_stream(const char *)');
const acceptNative: Native<[number, number]> = native('int tsrun_accept(int, int)');
const sendDescriptorNative: Native<[number, Uint8Array, number, number]> = native(
  'int tsrun_send_descriptor(int, const void *, unsigned int, int)',
);
const receiveDescriptorNative: Native<[number, Uint8Array, number, Int32Array]> = native(
  'int tsrun_receive_descriptor(int, void *, unsigned int, void *)',
);

/** The longest payload that comes with a descriptor: a terminal's name, as runc's receivers expect it. */
const payloadBytes = 4096;

/** A connected pair of SOCK_SEQPACKET unix sockets, close-on-exec. */
export function socketPair(): [number, number] {
  const pair = new Int32Array(2);
  const result = pairNative(pair);
  if (result < 0) throw systemError('make a pair of sockets', result);
  const [first = -1, second = -1] = pair;
  return [first, second];
}

/**
 * A listening SOCK_SEQPACKET socket at `dir`/`name`, reachable only by its owner (mode 0600). `name` is one
 * plain file name; `dir` may be as long as a path may be.
 */
export function listenSocket(dir: string, name: string): number {
  const result = listenNative(dir, name);
  if (result < 0) throw systemError(`listen on ${dir}/${name}`, result);
  return result;
}

/** As listenSocket, but whoever gets the socket has to listen on it. */
export function bindSocket(dir: string, name: string): number {
  const result = bindNative(dir, name);
  if (result < 0) throw systemError(`make the socket ${dir}/${name}`, result);
  return result;
}

/**
 * Connects to what bindSocket or listenSocket made, by a child that has ended then: who accepts learns of no other
 * process. Returns -errno when it cannot: -ENOENT without the socket,
 * -ECONNREFUSED when nobody listens on it any more.
 */
export function connectSocket(dir: string, name: string): number {
  return connectNative(dir, name);
}

/**
 * Connects to the SOCK_STREAM unix socket at the absolute `path`, of any length: a console or pidfd socket of
 * the caller. A receiver that does not accept or read within 30 seconds is an error (EAGAIN).
 */
export function connectStream(path: string): number {
  const result = connectStreamNative(path);
  if (result < 0) throw systemError(`connect to ${path}`, result);
  return result;
}

/** The next connection, or undefined when none comes within `timeoutMs` (-1: wait for ever). */
export function acceptSocket(listener: number, timeoutMs = -1): number | undefined {
  const result = acceptNative(listener, timeoutMs);
  if (result === -os.errno.ETIMEDOUT) return undefined;
  if (result < 0) throw systemError('accept a connection', result);
  return result;
}

/**
 * Sends `fd` with `payload` in one message: the console-socket protocol (payload: name of the terminal) and
 * the pidfd-socket protocol (payload: kind of init).
 */
export function sendDescriptor(sock: number, payload: string, fd: number): void {
  const bytes = Buffer.from(payload);
  const result = sendDescriptorNative(sock, bytes, bytes.length, fd);
  if (result < 0) throw systemError(`send a descriptor (${payload})`, result);
}

/** Receives what sendDescriptor sent; anything but exactly one descriptor is an error (EPROTO). */
export function receiveDescriptor(sock: number): { payload: string; fd: number } {
  const buffer = Buffer.allocUnsafe(payloadBytes);
  const out = new Int32Array(1);
  const result = receiveDescriptorNative(sock, buffer, buffer.length, out);
  if (result < 0) throw systemError('receive a descriptor', result);
  return { payload: buffer.toString('utf8', 0, result), fd: out[0] ?? -1 };
}
