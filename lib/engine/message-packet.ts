import { errnos } from '../core/errno.ts';
import { systemError } from '../core/error.ts';
import { receivePacket, sendPacket } from '../native/packet.ts';
import { type FaultName, faults, wireMaxDetail } from '../plan/wire.ts';
import { closeAll } from '../host/filesystem.ts';

/** One packet of the sync or start socket (messages of lib/plan/wire.ts). */
export interface Message {
  type: number;
  op: number;
  errno: number;
  value: number;
  detail: string;
}

/** A message, and the descriptors that came with it, which whoever received it closes. */
export interface Received {
  message: Message;
  fds: number[];
}

const headerBytes = 16;

/**
 * Sends one packet, with up to 4 descriptors.
 * @throws TsrunError 'system' with EPIPE or ECONNRESET when the peer has ended; what it sent before can be received
 */
export function sendMessage(sock: number, message: Message, fds: readonly number[] = []): void {
  const detail = Buffer.from(message.detail);
  const packet = Buffer.allocUnsafe(headerBytes + detail.length);
  packet.writeUInt32LE(message.type, 0);
  packet.writeUInt32LE(message.op, 4);
  packet.writeInt32LE(message.errno, 8);
  packet.writeUInt32LE(message.value, 12);
  detail.copy(packet, headerBytes);
  sendPacket(sock, 'the init', packet, fds);
}

/**
 * Receives one packet. Returns undefined when the peer has closed its end.
 * @param timeoutMs -1: no limit
 * @throws TsrunError 'system' with ETIMEDOUT, or with EPROTO for a packet that is no message
 */
export function receiveMessage(sock: number, timeoutMs = -1): Received | undefined {
  const received = receivePacket(sock, 'the init', headerBytes + wireMaxDetail, timeoutMs);
  if (received === undefined) return undefined;
  const { packet, fds } = received;
  if (packet.length < headerBytes) {
    closeAll(fds);
    throw systemError('receive a message from the init', errnos.EPROTO);
  }
  const message = {
    type: packet.readUInt32LE(0),
    op: packet.readUInt32LE(4),
    errno: packet.readInt32LE(8),
    value: packet.readUInt32LE(12),
    detail: packet.toString('utf8', headerBytes),
  };
  return { message, fds };
}

/** The name of a number in a table of the wire; undefined for one that this version does not know. */
export function nameOf<Name extends string>(
  table: Readonly<Record<Name, number>>,
  value: number,
): Name | undefined {
  return (Object.keys(table) as Name[]).find((name) => table[name] === value);
}

/** The name of a fault in an error message; `none` for one that this version does not know. */
export function faultName(value: number): FaultName {
  return nameOf(faults, value) ?? 'none';
}
