import { systemError } from '../errors.ts';
import { native } from './library.ts';
import type { Native } from './library.ts';

/** One packet of the sync or start socket (messages of lib/plan/wire.ts). */
export interface Message {
  type: number;
  op: number;
  errno: number;
  value: number;
  detail: string;
}

const headerBytes = 16;
const detailBytes = 4000;
const maxDescriptors = 4;

const sendNative: Native<[number, Uint8Array, number, Int32Array, number]> = native(
  'int tsrun_send(int, const void *, unsigned int, const void *, unsigned int)',
);
const receiveNative: Native<[number, Uint8Array, number, Int32Array, number]> = native(
  'int tsrun_receive(int, void *, unsigned int, void *, int)',
);

/**
 * Sends one packet, with up to 4 descriptors. A peer that is gone is EPIPE or ECONNRESET; what it sent before
 * can still be received.
 */
export function sendMessage(sock: number, message: Message, fds: readonly number[] = []): void {
  const detail = Buffer.from(message.detail);
  const packet = Buffer.allocUnsafe(headerBytes + detail.length);
  packet.writeUInt32LE(message.type, 0);
  packet.writeUInt32LE(message.op, 4);
  packet.writeInt32LE(message.errno, 8);
  packet.writeUInt32LE(message.value, 12);
  detail.copy(packet, headerBytes);
  const result = sendNative(sock, packet, packet.length, Int32Array.from(fds), fds.length);
  if (result < 0) throw systemError('send a message to the init', result);
}

/**
 * Receives one packet and the descriptors that came with it, which the caller closes. Returns undefined when
 * the peer has closed its end; throws ETIMEDOUT after `timeoutMs` (-1: wait for ever) and EPROTO for a packet
 * that is no message.
 */
export function receiveMessage(
  sock: number,
  timeoutMs = -1,
): { message: Message; fds: number[] } | undefined {
  const packet = Buffer.allocUnsafe(headerBytes + detailBytes);
  // The number of descriptors, then each.
  const out = new Int32Array(1 + maxDescriptors);
  const length = receiveNative(sock, packet, packet.length, out, timeoutMs);
  if (length === 0) return undefined;
  if (length < 0) throw systemError('receive a message from the init', length);
  const message = {
    type: packet.readUInt32LE(0),
    op: packet.readUInt32LE(4),
    errno: packet.readInt32LE(8),
    value: packet.readUInt32LE(12),
    detail: packet.toString('utf8', headerBytes, length),
  };
  return { message, fds: Array.from(out.subarray(1, 1 + (out[0] ?? 0))) };
}
