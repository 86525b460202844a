/** Writes native-shim/include/wire.h, the init's half of the wire format, from the tables of lib/plan/wire.ts. */
import {
  faults,
  type FieldType,
  hookFailedErrno,
  hookFlags,
  messages,
  mountFlags,
  noOp,
  noSlot,
  rootModes,
  slots,
  syncPoints,
  wireMagic,
  wireMaxBytes,
  wireMaxDetail,
  wireMaxSlots,
  wireOps,
  wireVersion,
} from '../lib/plan/wire.ts';
import { define, defines, runGenerator, snakeCase } from './c-header.ts';

/** What the generator needs to know of an operation; wireOps is a table of these. */
export interface OpShape {
  code: number;
  in: 'a' | 'b' | 'ab';
  fields: Readonly<Record<string, FieldType>>;
}

const cTypes: Readonly<Record<FieldType, string>> = {
  u32: 'uint32_t ',
  i32: 'int32_t ',
  u64: 'uint64_t ',
  i64: 'int64_t ',
  str: 'const char *',
  bytes: 'struct wire_bytes ',
  strs: 'struct wire_strs ',
  u32s: 'struct wire_u32s ',
};

const stages: Readonly<Record<OpShape['in'], string>> = { a: 'STAGE_A', b: 'STAGE_B', ab: 'STAGE_AB' };

/** Refuses a table from which C would come out wrong: codes twice or out of range, names C cannot hold. */
export function checkOps(ops: Readonly<Record<string, OpShape>>): void {
  const seen = new Map<number, string>();
  for (const [name, { code, fields }] of Object.entries(ops)) {
    const other = seen.get(code);
    if (other !== undefined)
      throw new Error(`operations ${other} and ${name} have the same code ${String(code)}`);
    if (!Number.isInteger(code) || code < 1 || code > 0xffff) throw new Error(`operation ${name}: bad code`);
    seen.set(code, name);
    for (const word of [name, ...Object.keys(fields)]) {
      if (!/^[a-z][A-Za-z0-9]*$/.test(word)) throw new Error(`operation ${name}: bad name '${word}'`);
    }
  }
}

function struct(name: string, op: OpShape): string {
  const fields = Object.entries(op.fields).map(([field, type]) => `    ${cTypes[type]}${snakeCase(field)};`);
  // C11 has no empty structs.
  const lines = fields.length > 0 ? fields : ['    uint8_t nothing;'];
  return [`struct op_${snakeCase(name)} {`, ...lines, '};'].join('\n');
}

function decoder(name: string, op: OpShape): string {
  const snake = snakeCase(name);
  const reads = Object.entries(op.fields).map(([field, type]) => `read_${type}(r, &o->${snakeCase(field)})`);
  const body =
    reads.length > 0
      ? [`    return ${[...reads, 'r->at == r->end'].join('\n        && ')};`]
      : ['    o->nothing = 0;', '    return r->at == r->end;'];
  return [
    `static inline bool decode_${snake}(struct reader *r, struct op_${snake} *o)`,
    '{',
    ...body,
    '}',
  ].join('\n');
}

function list(ops: Readonly<Record<string, OpShape>>): string {
  const rows = Object.entries(ops).map(([name, op]) => {
    const snake = snakeCase(name);
    return `    X(${snake}, OP_${snake.toUpperCase()}, ${stages[op.in]})`;
  });
  return [
    '/* X(name, code, stage) for every operation. */',
    `#define WIRE_OPS(X) \\`,
    rows.join(' \\\n'),
  ].join('\n');
}

/** The text of wire.h; a pure function of the tables. */
export function wireHeader(): string {
  checkOps(wireOps);
  const ops: [string, OpShape][] = Object.entries(wireOps);
  const codes = Object.fromEntries(ops.map(([name, op]) => [name, op.code]));
  return `${[
    '/* The wire format of plans, from lib/plan/wire.ts by scripts/wire-header.ts: edit those. */',
    '/* clang-format off */',
    '#ifndef TSRUN_WIRE_H\n#define TSRUN_WIRE_H',
    '#include "wire-reader.h"',
    [
      define('WIRE_MAGIC', wireMagic),
      define('WIRE_VERSION', wireVersion),
      define('WIRE_MAX_BYTES', wireMaxBytes),
      define('WIRE_MAX_SLOTS', wireMaxSlots),
      define('WIRE_MAX_DETAIL', wireMaxDetail),
      define('WIRE_NO_SLOT', noSlot),
      define('WIRE_NO_OP', noOp),
      define('HOOK_FAILED_ERRNO', hookFailedErrno),
    ].join('\n'),
    defines('SLOT', slots),
    defines('MESSAGE', messages),
    defines('SYNC', syncPoints),
    defines('FAULT', faults),
    defines('MOUNT_FLAG', mountFlags),
    defines('ROOT_MODE', rootModes),
    defines('HOOK', hookFlags),
    '/* The process an operation may run in. */\n#define STAGE_A 1\n#define STAGE_B 2\n#define STAGE_AB 3',
    defines('OP', codes),
    list(wireOps),
    ...ops.flatMap(([name, op]) => [struct(name, op), decoder(name, op)]),
    '#endif',
  ].join('\n\n')}\n`;
}

runGenerator(import.meta.url, 'wire.h', wireHeader);
