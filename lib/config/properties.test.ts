import { expect } from 'chai';
import { renderNotice } from '../../cmd/tsrun/render.ts';
import { TsrunError } from '../core/error.ts';
import { bundleOf, goodConfig } from './testing/fixtures.ts';
import { pointerTo } from '../core/pointer.ts';
import {
  allProperties,
  isUnused,
  place,
  type Property,
  type Schema,
  segmentsOf,
} from './testing/properties.ts';
import { validateConfig } from './validate.ts';

const checked = allProperties.filter((property) => !isUnused(property));

/** Values no property of the schema may have: another type, and what is outside of its limits. */
function wrongValues(schema: Schema): unknown[] {
  const { type, enum: names, minimum, maximum, minLength, minItems } = schema;
  const others: Record<string, unknown> = { object: {}, array: [], string: 'x', integer: 7, boolean: true };
  const own = type ?? 'string';
  const wrong = Object.keys(others)
    .filter((name) => name !== own)
    .map((name) => others[name]);
  if (type === 'integer') wrong.push(0.5, '7');
  if (names !== undefined) wrong.push('no-such-name');
  if (minimum !== undefined) wrong.push(beyond(minimum, -1));
  if (maximum !== undefined) wrong.push(beyond(maximum, 1));
  if (minLength !== undefined) wrong.push('');
  if (minItems !== undefined) wrong.push([]);
  return wrong;
}

/** The next number, or the next that is one to a JavaScript reader, which rounds the 64-bit limits. */
function beyond(limit: number, step: number): number {
  return Number.isSafeInteger(limit) ? limit + step : limit * 2;
}

/** The error for the good config with a value at a path. */
function errorFor(path: readonly string[], value: unknown): TsrunError {
  const config = goodConfig();
  place(config, path, value);
  try {
    validateConfig(bundleOf(JSON.stringify(config, null, 2)));
  } catch (error) {
    if (error instanceof TsrunError) return error;
    throw error;
  }
  throw new Error(`${path.join('.')}: ${JSON.stringify(value)} is accepted`);
}

function pointerOf(path: readonly string[]): string {
  return pointerTo('', ...segmentsOf(path));
}

function title({ path }: Property): string {
  return path.join('.').replaceAll('.[]', '[]');
}

describe('every property of the specification', () => {
  it('is derived from the schemas', () => {
    expect(checked.length).to.be.greaterThan(200);
    expect(checked.map(title)).to.include.members([
      'ociVersion',
      'process.rlimits[].soft',
      'linux.resources.rdma.*.hcaHandles',
      'linux.seccomp.syscalls[].args[].op',
    ]);
  });

  for (const property of checked) {
    const { path, schema } = property;
    it(`${title(property)} is refused with another type or value, and its place`, () => {
      for (const value of wrongValues(schema)) {
        const failure = errorFor(path, value);
        const { code, pointer } = failure;
        expect({ code, pointer }, JSON.stringify(value)).to.deep.equal({
          code: 'config',
          pointer: pointerOf(path),
        });
        expect(renderNotice(failure)).to.match(/^config\.json:\d+:\d+: \//);
      }
    });
  }

  for (const { path, schema } of [{ path: [], schema: {} as Schema }, ...checked]) {
    for (const name of schema.required ?? []) {
      const missing = [...path, name];
      it(`${missing.join('.').replaceAll('.[]', '[]')} is missed with its place`, () => {
        expect(errorFor(missing, undefined)).to.include({ code: 'config', pointer: pointerOf(missing) });
      });
    }
  }
});
