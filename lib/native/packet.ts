import { call, checked } from './library.ts';
import { maxMessageFds } from './signatures.ts';

/**
 * Sends one packet on a SOCK_SEQPACKET socket, with up to maxMessageFds descriptors. When the peer is gone that is
 * EPIPE or ECONNRESET; what it sent before can still be received.
 *
 * @param peer who receives it, in words for the error.
 * @throws TsrunError 'system'
 */
export function sendPacket(
  sock: number,
  peer: string,
  packet: Uint8Array,
  fds: readonly number[] = [],
): void {
  const result = call('tsrun_send', sock, packet, packet.length, Int32Array.from(fds), fds.length);
  checked(`send a message to ${peer}`, result);
}

/**
 * Receives one packet of at most `size` bytes and the descriptors that came with it, which the caller closes.
 * Returns undefined when the peer has closed its end.
 *
 * @throws TsrunError 'system': ETIMEDOUT after `timeoutMs` (-1: no limit), EPROTO for a packet that is longer.
 */
export function receivePacket(
  sock: number,
  peer: string,
  size: number,
  timeoutMs = -1,
): { packet: Buffer; fds: number[] } | undefined {
  const buffer = Buffer.allocUnsafe(size);
  // The number of descriptors, then each.
  const out = new Int32Array(1 + maxMessageFds);
  const result = call('tsrun_receive', sock, buffer, size, out, timeoutMs);
  const length = checked(`receive a message from ${peer}`, result);
  if (length === 0) return undefined;
  return { packet: buffer.subarray(0, length), fds: Array.from(out.subarray(1, 1 + (out[0] ?? 0))) };
}
