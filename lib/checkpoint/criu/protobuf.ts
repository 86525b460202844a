/**
 * As much of the Protocol Buffers encoding (protobuf.dev/programming-guides/encoding) as criu's messages need:
 * messages are tables of fields, and values are plain objects whose types follow from the tables.
 */
import { TsrunError } from '../../core/error.ts';

export interface Field {
  number: number;
  /** `integer`: int32, uint32 and enums, which all are varints. A table: a message. */
  type: 'integer' | 'boolean' | 'string' | Table;
  repeated?: true;
}

export type Table = Readonly<Record<string, Field>>;

type Value<T extends Field['type']> = T extends 'integer'
  ? number
  : T extends 'boolean'
    ? boolean
    : T extends 'string'
      ? string
      : T extends Table
        ? Values<T>
        : never;

/** A message of this table: every field may be absent. */
export type Values<T extends Table> = {
  -readonly [K in keyof T]?:
    (T[K] extends { repeated: true } ? readonly Value<T[K]['type']>[] : Value<T[K]['type']>) | undefined;
};

const varint = 0;
const fixed64 = 1;
const bytes = 2;
const fixed32 = 5;

/** Encodes a message. Integers are at most 32 bits wide; negative ones take ten bytes, as for int32. */
export function encodeMessage<T extends Table>(table: T, values: Values<T>): Buffer {
  const out: number[] = [];
  for (const [name, field] of Object.entries(table)) {
    const value: unknown = values[name];
    if (value === undefined) continue;
    for (const one of field.repeated === true ? (value as readonly unknown[]) : [value]) {
      writeField(out, field, one);
    }
  }
  return Buffer.from(out);
}

function writeField(out: number[], { number, type }: Field, value: unknown): void {
  if (type === 'integer' || type === 'boolean') {
    writeVarint(out, number * 8 + varint);
    writeVarint(out, Number(value));
    return;
  }
  const content =
    type === 'string' ? Buffer.from(String(value)) : encodeMessage(type, value as Values<typeof type>);
  writeVarint(out, number * 8 + bytes);
  writeVarint(out, content.length);
  for (const byte of content) out.push(byte);
}

function writeVarint(out: number[], value: number): void {
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 0x7fn; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  out.push(Number(rest));
}

/** Decodes a message; fields the table does not know are passed over. Throws 'system' for what is no message. */
export function decodeMessage<T extends Table>(table: T, data: Buffer): Values<T> {
  const byNumber = new Map(Object.entries(table).map(([name, field]) => [field.number, { name, field }]));
  const values: Record<string, unknown> = {};
  for (let at = 0; at < data.length;) {
    const tag = readVarint(data, at);
    const { content, next } = readContent(data, tag.next, Number(tag.value & 7n));
    at = next;
    const known = byNumber.get(Number(tag.value >> 3n));
    if (known === undefined) continue;
    const value = readValue(known.field, content);
    const before = values[known.name];
    values[known.name] =
      known.field.repeated === true
        ? [...(Array.isArray(before) ? (before as unknown[]) : []), value]
        : value;
  }
  return values as Values<T>;
}

function readContent(data: Buffer, at: number, wireType: number): { content: bigint | Buffer; next: number } {
  if (wireType === varint) {
    const { value, next } = readVarint(data, at);
    return { content: value, next };
  }
  const start = wireType === bytes ? readVarint(data, at) : { value: fixedSize(wireType), next: at };
  const next = start.next + Number(start.value);
  if (next > data.length) throw malformed();
  return { content: data.subarray(start.next, next), next };
}

function fixedSize(wireType: number): bigint {
  if (wireType === fixed64) return 8n;
  if (wireType === fixed32) return 4n;
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

function readValue({ type }: Field, content: bigint | Buffer): unknown {
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
  return new TsrunError('system', 'criu sent what is no message of its protocol');
}
