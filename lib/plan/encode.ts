import { TsrunError } from '../core/error.ts';
import type { Plan } from './types.ts';
import {
  type FieldType,
  type Op,
  type OpName,
  wireMagic,
  wireMaxBytes,
  wireMaxSlots,
  wireOps,
  wireVersion,
} from './wire.ts';

type Value = Op[keyof Op] | bigint | Uint8Array | readonly string[] | readonly number[];

const headerBytes = 20;
const opHeaderBytes = 8;

/** Fields of each operation in the table's order, made once. */
const fieldsOf = new Map<OpName, readonly [name: string, type: FieldType][]>(
  Object.entries(wireOps).map(([name, { fields }]) => [name as OpName, Object.entries<FieldType>(fields)]),
);

const integerRanges: Readonly<Record<string, readonly [min: bigint, max: bigint]>> = {
  u32: [0n, 0xffffffffn],
  i32: [-0x80000000n, 0x7fffffffn],
  u64: [0n, 0xffffffffffffffffn],
  i64: [-0x8000000000000000n, 0x7fffffffffffffffn],
};

/**
 * The plan in the wire format, for the init.
 * @throws TsrunError 'config' with the origin's pointer when a value of the config does not fit (an integer out
 * of range, a NUL in a string, everything together too long); 'internal' when it is none of the config's
 */
export function encode(plan: Plan): Uint8Array {
  if (plan.slotCount > wireMaxSlots) throw new TsrunError('internal', 'the plan has too many slots');
  const writer = new Writer();
  writer.skip(headerBytes);
  for (const op of plan.ops) encodeOp(writer, op);
  return writer.finish(plan);
}

function encodeOp(writer: Writer, op: Op): void {
  const start = writer.skip(opHeaderBytes);
  const fields = fieldsOf.get(op.op);
  if (fields === undefined) throw new TsrunError('internal', `unknown operation ${op.op}`);
  const values = op as unknown as Readonly<Record<string, Value>>;
  for (const [name, type] of fields) encodeField(writer, type, values[name], op, name);
  writer.opHeader(start, wireOps[op.op].code);
}

function encodeField(writer: Writer, type: FieldType, value: Value | undefined, op: Op, name: string): void {
  switch (type) {
    case 'u32':
    case 'i32':
      writer.u32(Number(integer(type, value, op, name)));
      return;
    case 'u64':
    case 'i64':
      writer.u64(BigInt(integer(type, value, op, name)));
      return;
    case 'str':
      writer.string(text(value, op, name));
      return;
    case 'bytes':
      if (!(value instanceof Uint8Array)) throw wrong(op, name, 'is not a list of bytes');
      writer.bytes(value);
      return;
    case 'strs':
      if (!Array.isArray(value)) throw wrong(op, name, 'is not a list');
      writer.u32(value.length);
      for (const item of value) writer.string(text(item, op, name));
      return;
    case 'u32s':
      if (!Array.isArray(value)) throw wrong(op, name, 'is not a list');
      writer.u32(value.length);
      for (const item of value) writer.u32(Number(integer('u32', item, op, name)));
      return;
  }
}

function integer(type: string, value: unknown, op: Op, name: string): number | bigint {
  // The usual case, without detours.
  if (typeof value === 'number' && value >= 0 && value <= 0x7fffffff && Number.isInteger(value)) return value;
  if (typeof value !== 'bigint' && !(typeof value === 'number' && Number.isInteger(value))) {
    throw wrong(op, name, `${String(value)} is not an integer`);
  }
  const [min, max] = integerRanges[type] ?? [0n, 0n];
  const exact = BigInt(value);
  if (exact < min || exact > max) {
    throw wrong(op, name, `${String(value)} is out of range (${String(min)} to ${String(max)})`);
  }
  return value;
}

function text(value: unknown, op: Op, name: string): string {
  if (typeof value !== 'string') throw wrong(op, name, 'is not a string');
  if (value.includes('\0')) throw wrong(op, name, `${JSON.stringify(value)} has a NUL character in it`);
  return value;
}

/** The value is the config's fault when it comes from there. */
function wrong(op: Op, name: string, problem: string): TsrunError {
  return op.origin === ''
    ? new TsrunError('internal', `operation ${op.op}: ${name} ${problem}`)
    : new TsrunError('config', `${name} ${problem}`, { pointer: op.origin });
}

/** Bytes that grow. */
class Writer {
  #buffer = Buffer.allocUnsafe(16 * 1024);
  #used = 0;

  /** Makes room for `size` bytes at the end; returns where they begin. */
  skip(size: number): number {
    const start = this.#used;
    const end = start + size;
    if (end > wireMaxBytes) {
      throw new TsrunError('config', `the container's plan is larger than ${wireMaxBytes} bytes`);
    }
    if (end > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(end, 2 * this.#buffer.length));
      this.#buffer.copy(larger, 0, 0, start);
      this.#buffer = larger;
    }
    this.#used = end;
    return start;
  }

  u32(value: number): void {
    const at = this.skip(4);
    // As unsigned: an i32 has the same bytes.
    this.#buffer.writeUInt32LE(value >>> 0, at);
  }

  u64(value: bigint): void {
    const at = this.skip(8);
    this.#buffer.writeBigUInt64LE(BigInt.asUintN(64, value), at);
  }

  bytes(value: Uint8Array): void {
    this.u32(value.length);
    const at = this.skip(value.length);
    this.#buffer.set(value, at);
  }

  string(value: string): void {
    const size = Buffer.byteLength(value);
    this.u32(size);
    const at = this.skip(size + 1);
    this.#buffer.write(value, at);
    this.#buffer[at + size] = 0;
  }

  opHeader(start: number, code: number): void {
    this.#buffer.writeUInt16LE(code, start);
    this.#buffer.writeUInt16LE(0, start + 2);
    this.#buffer.writeUInt32LE(this.#used - start - opHeaderBytes, start + 4);
  }

  finish({ ops, slotCount }: Plan): Uint8Array {
    [wireMagic, wireVersion, this.#used, ops.length, slotCount].forEach((value, index) => {
      this.#buffer.writeUInt32LE(value, 4 * index);
    });
    return this.#buffer.subarray(0, this.#used);
  }
}
