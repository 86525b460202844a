/**
 * The part of the Protocol Buffers encoding (protobuf.dev/programming-guides/encoding) that criu's messages need. A
 * table describes the fields of a message; a message is a plain object whose type follows from its table.
 */
import { TsrunError } from '../../core/error.ts';

/** `integer` stands for int32, uint32 and enums, which all are varints; a table for a message. */
type FieldType = 'integer' | 'boolean' | 'string' | Table;

export type Field = readonly [number: number, type: FieldType, label?: 'repeated'];

/** The fields of a message by name. */
// eslint-disable-next-line @typescript-eslint/consistent-indexed-object-style -- a Record cannot contain itself
export interface Table {
  readonly [name: string]: Field;
}

type Value<T extends FieldType> = T extends 'integer'
  ? number
  : T extends 'boolean'
    ? boolean
    : T extends 'string'
      ? string
      : T extends Table
        ? Message<T>
        : never;

/** A message with the fields of a table, each of which may be absent. */
export type Message<T extends Table> = {
  -readonly [K in keyof T]?:
    | (T[K] extends readonly [number, FieldType, 'repeated'] ? readonly Value<T[K][1]>[] : Value<T[K][1]>)
    | undefined;
};

const wireTypes = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** Encodes a message. Integers have at most 32 bits; negative ones take ten bytes, as an int32 does. Pure. */
export function encodeMessage<T extends Table>(table: T, message: Message<T>): Buffer {
  const out: number[] = [];
  for (const [name, field] of Object.entries(table)) {
    const value: unknown = message[name];
    if (value === undefined) continue;
    for (const one of field[2] === 'repeated' ? (value as readonly unknown[]) : [value]) {
      writeField(out, field, one);
    }
  }
  return Buffer.from(out);
}

function writeField(out: number[], [number, type]: Field, value: unknown): void {
  if (type === 'integer' || type === 'boolean') {
    writeVarint(out, number * 8 + wireTypes.varint);
    writeVarint(out, Number(value));
    return;
  }
  const content =
    type === 'string' ? Buffer.from(String(value)) : encodeMessage(type, value as Message<typeof type>);
  writeVarint(out, number * 8 + wireTypes.bytes);
  writeVarint(out, content.length);
  for (const byte of content) out.push(byte);
}

function writeVarint(out: number[], value: number): void {
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 0x7fn; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  out.push(Number(rest));
}

/**
 * Decodes a message; skips fields that are not in the table. Pure.
 *
 * @throws TsrunError 'system' for a malformed message
 */
export function decodeMessage<T extends Table>(table: T, data: Buffer): Message<T> {
  const byNumber = new Map(Object.entries(table).map(([name, field]) => [field[0], { name, field }]));
  const message: Record<string, unknown> = {};
  for (let at = 0; at < data.length;) {
    const tag = readVarint(data, at);
    const { content, next } = readContent(data, tag.next, Number(tag.value & 7n));
    at = next;
    const known = byNumber.get(Number(tag.value >> 3n));
    if (known === undefined) continue;
    const { name, field } = known;
    const value = readValue(field, content);
    const before = message[name];
    message[name] =
      field[2] === 'repeated' ? [...(Array.isArray(before) ? (before as unknown[]) : []), value] : value;
  }
  return message as Message<T>;
}

function readContent(data: Buffer, at: number, wireType: number): { content: bigint | Buffer; next: number } {
  if (wireType === wireTypes.varint) {
    const { value, next } = readVarint(data, at);
    return { content: value, next };
  }
  const start =
    wireType === wireTypes.bytes ? readVarint(data, at) : { value: fixedSize(wireType), next: at };
  const next = start.next + Number(start.value);
  if (next > data.length) throw malformed();
  return { content: data.subarray(start.next, next), next };
}

function fixedSize(wireType: number): bigint {
  if (wireType === wireTypes.fixed64) return 8n;
  if (wireType === wireTypes.fixed32) return 4n;
  throw malformed();
}

function readVarint(data: Buffer, start: number): { value: bigint; next: number } {
  let value = 0n;
  for (let at = start, shift = 0n; shift < 70n; at++, shift += 7n) {
    const byte = data[at];
    if (byte === undefined) break;
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return { value, next: at + 1 };
  }
  throw malformed();
}

function readValue([, type]: Field, content: bigint | Buffer): unknown {
  if (typeof content === 'bigint') {
    if (type === 'boolean') return content !== 0n;
    if (type === 'integer') return Number(BigInt.asIntN(32, content));
    throw malformed();
  }
  if (type === 'string') return content.toString('utf8');
  if (type === 'integer' || type === 'boolean') throw malformed();
  return decodeMessage(type, content);
}

function malformed(): TsrunError {
  return new TsrunError('system', 'criu sent a malformed message');
}
