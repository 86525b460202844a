import { systemError } from '../core/error.ts';
import { native } from './library.ts';
import type { Native } from './library.ts';

const maxDescriptors = 4;

const sendNative: Native<[number, Uint8Array, number, Int32Array, number]> = native(
  'int tsrun_send(int, const void *, unsigned int, const void *, unsigned int)',
);
const receiveNative: Native<[number, Uint8Array, number, Int32Array, number]> = native(
  'int tsrun_receive(int, void *, unsigned int, void *, int)',
);

/**
 * Sends one packet on a SOCK_SEQPACKET socket, with up to 4 descriptors. A peer that is gone is EPIPE or
 * ECONNRESET; what it sent before can still be received.
 *
 * @param peer who it is for, in words for the error.
 */
export function sendPacket(
  sock: number,
  peer: string,
  packet: Uint8Array,
  fds: readonly number[] = [],
): void {
  const result = sendNative(sock, packet, packet.length, Int32Array.from(fds), fds.length);
  if (result < 0) throw systemError(`send a message to ${peer}`, result);
}

/**
 * Receives one packet of at most `size` bytes and the descriptors that came with it, which the caller closes.
 * Returns undefined when the peer has closed its end; throws ETIMEDOUT after `timeoutMs` (-1: wait for ever) and
 * EPROTO for a packet that is longer.
 */
export function receivePacket(
  sock: number,
  peer: string,
  size: number,
  timeoutMs = -1,
): { packet: Buffer; fds: number[] } | undefined {
  const buffer = Buffer.allocUnsafe(size);
  // The number of descriptors, then each.
  const out = new Int32Array(1 + maxDescriptors);
  const length = receiveNative(sock, buffer, size, out, timeoutMs);
  if (length === 0) return undefined;
  if (length < 0) throw systemError(`receive a message from ${peer}`, length);
  return { packet: buffer.subarray(0, length), fds: Array.from(out.subarray(1, 1 + (out[0] ?? 0))) };
}
