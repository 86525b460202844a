import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FieldType, wireOps } from '../../lib/plan/wire.ts';
import { encodePlan, type TestOp } from '../init/testing/plan.ts';

/** A value for a field of each type. */
const samples: Readonly<Record<FieldType, unknown>> = {
  u32: 7,
  i32: -7,
  u64: 1n << 40n,
  i64: -1n,
  str: '/a/path',
  bytes: Uint8Array.of(1, 0, 2),
  strs: ['one', '', 'three'],
  u32s: [1, 2, 3],
};

/** Every operation there is, in an order the init accepts. */
function everyOp(): TestOp[] {
  const names = Object.keys(wireOps) as (keyof typeof wireOps)[];
  const makesB = ['clone', 'cloneVisible'];
  const inA = names.filter((name) => wireOps[name].in !== 'b' && !makesB.includes(name));
  const inB = names.filter((name) => wireOps[name].in === 'b' && name !== 'exec');
  return [...inA, 'clone' as const, ...inB, 'exec' as const].map((name) => {
    const values = Object.entries<FieldType>(wireOps[name].fields).map(([field, type]) => [
      field,
      samples[type],
    ]);
    // Fields and types come from one table.
    return { op: name, ...(Object.fromEntries(values) as object) } as TestOp;
  });
}

describe('the decoders of plans', () => {
  const include = import.meta.dirname;
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsrun-wire-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it('read nothing outside of a plan, however it is damaged', () => {
    const plan = join(folder, 'plan');
    writeFileSync(plan, encodePlan(everyOp()));
    const program = join(folder, 'mutate');
    const source = join(include, '../init/testing/mutate.c');
    const strict = ['-std=c11', '-Wall', '-Wextra', '-Werror', '-pedantic'];
    const sanitizers = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
    execFileSync('gcc', [...strict, '-O1', '-g', ...sanitizers, '-I', include, '-o', program, source]);
    for (const seed of ['1', '2', '3']) {
      // A sanitizer's report makes the program fail, and is part of the error.
      const [taken = 0, refused = 0] = execFileSync(program, [plan, seed, '4000'], { encoding: 'utf8' })
        .split(' ')
        .map(Number);
      expect(taken).to.be.greaterThan(100);
      expect(refused).to.be.greaterThan(1000);
    }
  }).timeout(60_000);
});
