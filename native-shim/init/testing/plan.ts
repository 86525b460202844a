import {
  type FieldType,
  type OpName,
  type OpOf,
  slots,
  wireMagic,
  wireOps,
  wireVersion,
} from '../../../lib/plan/wire.ts';

/** An operation without its origin, which the init never sees. */
export type TestOp = { [N in OpName]: Omit<OpOf<N>, 'origin'> }[OpName];

/**
 * A plan in bytes, written from the description of the format and not with the product's encoder, so that the
 * two are checked against each other.
 */
export function encodePlan(ops: readonly TestOp[], slotCount: number = slots.first + 8): Buffer {
  const body = Buffer.concat(ops.map(encodeOp));
  const header = Buffer.concat([wireMagic, wireVersion, 20 + body.length, ops.length, slotCount].map(u32));
  return Buffer.concat([header, body]);
}

function encodeOp(op: TestOp): Buffer {
  const { code, fields } = wireOps[op.op];
  const values = new Map<string, unknown>(Object.entries(op));
  const payload = Buffer.concat(
    Object.entries<FieldType>(fields).map(([name, type]) => encodeField(type, values.get(name))),
  );
  const head = Buffer.alloc(8);
  head.writeUInt16LE(code, 0);
  head.writeUInt32LE(payload.length, 4);
  return Buffer.concat([head, payload]);
}

function encodeField(type: FieldType, value: unknown): Buffer {
  switch (type) {
    case 'u32':
      return u32(Number(value));
    case 'i32':
      return u32(Number(value) >>> 0);
    case 'u64':
    case 'i64': {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value as bigint | number)));
      return bytes;
    }
    case 'str':
      return str(value as string);
    case 'bytes':
      return Buffer.concat([u32((value as Uint8Array).length), value as Uint8Array]);
    case 'strs':
      return list((value as string[]).map(str));
    case 'u32s':
      return list((value as number[]).map(u32));
  }
}

function list(items: readonly Buffer[]): Buffer {
  return Buffer.concat([u32(items.length), ...items]);
}

function str(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([u32(bytes.length), bytes, Buffer.of(0)]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
