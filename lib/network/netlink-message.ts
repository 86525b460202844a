/** Messages of netlink(7) as bytes and back. Numbers are in the host's order: little-endian on all we run on. */
import { TsrunError } from '../core/error.ts';

export interface NetlinkMessage {
  type: number;
  /** NLM_F_*. */
  flags: number;
  sequence: number;
  body: Buffer;
}

/** Types of netlink itself (linux/netlink.h). */
export const controlTypes = { error: 2, done: 3 } as const;

/** NLM_F_*, of requests and of answers. */
export const messageFlags = {
  request: 0x1,
  multi: 0x2,
  ack: 0x4,
  dumpInterrupted: 0x10,
  /** The answer to a failed request has attributes. */
  ackAttributes: 0x200,
  exclusive: 0x200,
  dump: 0x300,
  create: 0x400,
} as const;

const headerBytes = 16;
const attributeHeaderBytes = 4;
/** NLMSGERR_ATTR_MSG. */
const errorText = 1;
/** NLA_F_NESTED and NLA_F_NET_BYTEORDER are no part of the type. */
const attributeTypeMask = 0x3fff;

const aligned = (length: number): number => (length + 3) & ~3;

/** One message with its header. */
export function encodeMessage({ type, flags, sequence, body }: NetlinkMessage): Buffer {
  const bytes = Buffer.alloc(headerBytes + aligned(body.length));
  bytes.writeUInt32LE(headerBytes + body.length, 0);
  bytes.writeUInt16LE(type, 4);
  bytes.writeUInt16LE(flags, 6);
  bytes.writeUInt32LE(sequence, 8);
  body.copy(bytes, headerBytes);
  return bytes;
}

/** The messages of one packet. @throws TsrunError 'internal' when a length exceeds it */
export function decodeMessages(bytes: Buffer): NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = at + headerBytes <= bytes.length ? bytes.readUInt32LE(at) : 0;
    if (length < headerBytes || at + length > bytes.length) throw malformed();
    messages.push({
      type: bytes.readUInt16LE(at + 4),
      flags: bytes.readUInt16LE(at + 6),
      sequence: bytes.readUInt32LE(at + 8),
      body: bytes.subarray(at + headerBytes, at + length),
    });
    at += aligned(length);
  }
  return messages;
}

/** One attribute (struct nlattr) with its padding. */
export function attribute(type: number, value: Uint8Array): Buffer {
  const bytes = Buffer.alloc(attributeHeaderBytes + aligned(value.length));
  bytes.writeUInt16LE(attributeHeaderBytes + value.length, 0);
  bytes.writeUInt16LE(type, 2);
  bytes.set(value, attributeHeaderBytes);
  return bytes;
}

/** An attribute that is a string with its NUL. */
export function stringAttribute(type: number, value: string): Buffer {
  return attribute(type, Buffer.from(`${value}\0`));
}

/** An attribute that is a 32-bit number. */
export function numberAttribute(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return attribute(type, bytes);
}

/** The attributes in `bytes` by type; the last one of a type counts. */
export function decodeAttributes(bytes: Buffer): Map<number, Buffer> {
  const attributes = new Map<number, Buffer>();
  for (let at = 0; at + attributeHeaderBytes <= bytes.length;) {
    const length = bytes.readUInt16LE(at);
    if (length < attributeHeaderBytes || at + length > bytes.length) throw malformed();
    const type = bytes.readUInt16LE(at + 2) & attributeTypeMask;
    attributes.set(type, bytes.subarray(at + attributeHeaderBytes, at + length));
    at += aligned(length);
  }
  return attributes;
}

/** A string of an attribute, without its NUL. */
export function stringOf(value: Buffer | undefined): string {
  return (value ?? Buffer.alloc(0)).toString('utf8').replace(/\0.*$/s, '');
}

/** The content of an error message: a positive errno, 0 for an acknowledgement, and the kernel's words, if any. */
export function decodeError({ flags, body }: NetlinkMessage): { errno: number; text: string } {
  if (body.length < 4 + headerBytes) throw malformed();
  const errno = Math.abs(body.readInt32LE(0));
  if ((flags & messageFlags.ackAttributes) === 0) return { errno, text: '' };
  // The socket asked for answers without the request's body: the attributes follow its header.
  const text = stringOf(decodeAttributes(body.subarray(4 + headerBytes)).get(errorText));
  return { errno, text };
}

function malformed(): TsrunError {
  return new TsrunError('internal', 'a netlink message of the kernel is malformed');
}
