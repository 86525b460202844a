import type { SchemaError } from '#validators/config.js';
import { didYouMean } from '../core/nearest-word.ts';
import { error, type Finding } from '../core/finding.ts';
import { pointerSegments, pointerTo } from '../core/pointer.ts';

/**
 * An error of a compiled schema in words: what was expected and what is there.
 *
 * @param root what was validated, and `at` its pointer.
 */
export function schemaFinding(failure: SchemaError, root: unknown, at: string): Finding {
  const { keyword, params, instancePath: pointer } = failure;
  const value = valueAt(root, pointer.slice(at.length));
  switch (keyword) {
    case 'required':
      return error(pointerTo(pointer, String(params['missingProperty'])), 'required property is missing');
    case 'type':
      return wrongType(pointer, [params['type']].flat().map(String), value);
    case 'exactInteger':
      return wrongInteger(pointer, String(params['minimum']), String(params['maximum']), value);
    case 'enum':
      return notAllowed(pointer, [params['allowedValues']].flat().map(String), value);
    case 'nonEmpty':
    case 'minItems':
      return error(pointer, 'must not be empty');
    case 'pattern':
      return error(pointer, `must match ${String(params['pattern'])}`);
    default:
      return error(pointer, `does not agree with the schema (${keyword})`);
  }
}

const typeNames: ReadonlyMap<string, string> = new Map([
  ['object', 'an object'],
  ['array', 'an array'],
  ['string', 'a string'],
  ['boolean', 'true or false'],
  ['null', 'null'],
]);

function wrongType(pointer: string, types: readonly string[], value: unknown): Finding {
  const expected = types.map((type) => typeNames.get(type) ?? type).join(' or ');
  const quotedBoolean = types.includes('boolean') && (value === 'true' || value === 'false');
  const hint = quotedBoolean ? `Write ${value} without quotes.` : undefined;
  return error(pointer, `expected ${expected}, found ${kindOf(value)}`, hint);
}

function wrongInteger(pointer: string, minimum: string, maximum: string, value: unknown): Finding {
  const range = `an integer from ${minimum} to ${maximum}`;
  if (typeof value === 'number' || typeof value === 'bigint') return error(pointer, `must be ${range}`);
  const hint =
    typeof value === 'string' && /^-?\d+$/.test(value) ? 'Write the number without quotes.' : undefined;
  return error(pointer, `expected ${range}, found ${kindOf(value)}`, hint);
}

function notAllowed(pointer: string, allowed: readonly string[], value: unknown): Finding {
  const names = allowed.filter((name) => name !== '');
  if (typeof value !== 'string') return error(pointer, `expected a string, found ${kindOf(value)}`);
  return error(pointer, `must be one of ${names.join(', ')}`, didYouMean(value, names));
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  switch (typeof value) {
    case 'object':
      return 'an object';
    case 'string':
      return 'a string';
    case 'boolean':
      return String(value);
    case 'number':
    case 'bigint':
      return 'a number';
    default:
      return 'nothing';
  }
}

function valueAt(root: unknown, pointer: string): unknown {
  let value = root;
  for (const segment of pointerSegments(pointer)) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, segment)) return undefined;
    value = (value as Record<string, unknown>)[segment];
  }
  return value;
}
