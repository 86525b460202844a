import { type FieldType, type OpName, wireOps } from '../wire.ts';

export interface Decoded {
  magic: number;
  version: number;
  bytes: number;
  slotCount: number;
  ops: ({ op: OpName } & Record<string, unknown>)[];
}

/** Reads a plan as the init would; for tests of the encoder. Integers of 64 bits come out as bigint. */
export function decode(plan: Uint8Array): Decoded {
  const reader = new Reader(plan);
  const [magic, version, bytes, count, slotCount] = [1, 2, 3, 4, 5].map(() => reader.u32());
  const ops = Array.from({ length: count ?? 0 }, () => decodeOp(reader));
  if (reader.left > 0) throw new Error(`${reader.left} bytes too many`);
  return { magic: magic ?? 0, version: version ?? 0, bytes: bytes ?? 0, slotCount: slotCount ?? 0, ops };
}

function decodeOp(reader: Reader): Decoded['ops'][number] {
  const code = reader.u16();
  if (reader.u16() !== 0) throw new Error('not zero');
  const payload = reader.u32();
  const end = reader.left - payload;
  const [op, shape] = Object.entries(wireOps).find(([, known]) => known.code === code) ?? [];
  const values = Object.entries<FieldType>(shape?.fields ?? {}).map(([name, type]) => [
    name,
    decodeField(reader, type),
  ]);
  if (op === undefined || reader.left !== end) throw new Error(`code ${code}: bad payload`);
  return { op: op as OpName, ...(Object.fromEntries(values) as Record<string, unknown>) };
}

function decodeField(reader: Reader, type: FieldType): unknown {
  switch (type) {
    case 'u32':
      return reader.u32();
    case 'i32':
      return reader.u32() | 0;
    case 'u64':
      return reader.u64();
    case 'i64':
      return BigInt.asIntN(64, reader.u64());
    case 'str':
      return reader.string();
    case 'bytes':
      return reader.bytes(reader.u32());
    case 'strs':
      return Array.from({ length: reader.u32() }, () => reader.string());
    case 'u32s':
      return Array.from({ length: reader.u32() }, () => reader.u32());
  }
}

class Reader {
  #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#view.byteLength - this.#at;
  }

  #skip(size: number): number {
    this.#at += size;
    return this.#at - size;
  }

  u16(): number {
    return this.#view.getUint16(this.#skip(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#skip(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#skip(8), true);
  }

  bytes(size: number): Uint8Array {
    const start = this.#view.byteOffset + this.#skip(size);
    return new Uint8Array(this.#view.buffer.slice(start, start + size));
  }

  string(): string {
    const bytes = this.bytes(this.u32());
    if (this.#view.getUint8(this.#skip(1)) !== 0) throw new Error('no NUL at the end of a string');
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  }
}
