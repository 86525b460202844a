import { call, checked } from './library.ts';

/** The longest payload that comes with a descriptor: a terminal's name, as runc's receivers expect it. */
const payloadBytes = 4096;

/**
 * Makes a connected pair of SOCK_SEQPACKET unix sockets, close-on-exec.
 *
 * @throws TsrunError 'system'
 */
export function socketPair(): [number, number] {
  const pair = new Int32Array(2);
  checked('make a pair of sockets', call('tsrun_socketpair', pair));
  const [first = -1, second = -1] = pair;
  return [first, second];
}

/**
 * Makes a SOCK_SEQPACKET socket at `dir`/`name` that only its owner may connect to (mode 0600). Whoever gets the
 * socket has to listen on it. `name` is one file name; `dir` may have any length.
 *
 * @throws TsrunError 'system'
 */
export function bindSocket(dir: string, name: string): number {
  return checked(`make the socket ${dir}/${name}`, call('tsrun_bind', dir, name));
}

/**
 * Connects to the socket that bindSocket made. A child with no other descriptor does it and ends, so that the
 * process that accepts cannot reach tsrun (SO_PEERPIDFD). Returns -errno when it fails: -ENOENT without the socket,
 * -ECONNREFUSED when nobody listens on it.
 */
export function connectSocket(dir: string, name: string): number {
  return call('tsrun_connect', dir, name);
}

/**
 * Connects to the SOCK_STREAM unix socket at the absolute `path`, of any length: a console or pidfd socket of the
 * caller. EAGAIN when the receiver does not accept or read within 30 seconds.
 *
 * @throws TsrunError 'system'
 */
export function connectStream(path: string): number {
  return checked(`connect to ${path}`, call('tsrun_connect_stream', path));
}

/**
 * Sends `fd` with `payload` in one message: the console-socket protocol (payload: name of the terminal) and the
 * pidfd-socket protocol (payload: kind of init).
 *
 * @throws TsrunError 'system'
 */
export function sendDescriptor(sock: number, payload: string, fd: number): void {
  const bytes = Buffer.from(payload);
  checked(`send a descriptor (${payload})`, call('tsrun_send_descriptor', sock, bytes, bytes.length, fd));
}

/**
 * Receives what sendDescriptor sent.
 *
 * @throws TsrunError 'system': EPROTO for anything but exactly one descriptor.
 */
export function receiveDescriptor(sock: number): { payload: string; fd: number } {
  const buffer = Buffer.allocUnsafe(payloadBytes);
  const out = new Int32Array(1);
  const result = call('tsrun_receive_descriptor', sock, buffer, buffer.length, out);
  const length = checked('receive a descriptor', result);
  return { payload: buffer.toString('utf8', 0, length), fd: out[0] ?? -1 };
}
