import { walkJson } from './walk.ts';

/**
 * Numbers JSON.parse may change: a run of 16 digits or more, or an exponent. A match inside a string does
 * no harm, it only makes the slower reader do the work.
 */
const maybeInexact = /\d{16}|[[:,\s]-?\d[\d.]*[eE]/;

/**
 * The value of a JSON text. Integers that a JavaScript number cannot hold exactly are bigints; of a name
 * that appears twice the last value counts.
 *
 * @throws JsonSyntaxError with the place of the first error.
 */
export function parseJson(text: string): unknown {
  if (maybeInexact.test(text)) return parseExact(text);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The engine's own message has no place one can rely on; its RangeError (depth) says nothing at all.
    return parseExact(text);
  }
}

/** The same, always by the exact reader. */
export function parseExact(text: string): unknown {
  let root: unknown;
  let name: string | undefined;
  const open: (unknown[] | Record<string, unknown>)[] = [];
  const add = (value: unknown): void => {
    const parent = open.at(-1);
    if (parent === undefined) root = value;
    else if (Array.isArray(parent)) parent.push(value);
    else if (name === '__proto__') {
      // Assigning it would change the object's prototype.
      Object.defineProperty(parent, name, { value, writable: true, enumerable: true, configurable: true });
    } else if (name !== undefined) parent[name] = value;
  };
  walkJson(text, {
    open(kind) {
      const value = kind === 'array' ? [] : {};
      add(value);
      open.push(value);
    },
    close() {
      open.pop();
    },
    name(text) {
      name = text;
    },
    scalar(start, end) {
      const token = text.slice(start, end);
      add(/^[-\d]/.test(token) ? exactNumber(token) : JSON.parse(token));
    },
  });
  return root;
}

/** Integers with more digits than this fit no type of the specification; they need no exact value. */
const maxDigits = 40;

/** A JSON number; a bigint when it is an integer outside the exact range of numbers. */
export function exactNumber(token: string): number | bigint {
  const number = Number(token);
  if (Number.isSafeInteger(number) && token.length < 16) return number;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(token) ?? [];
  const zeros = Number(exponent) - fraction.replace(/0+$/, '').length;
  const digits = (whole + fraction.replace(/0+$/, '')).replace(/^0+/, '');
  if (digits === '') return number;
  const dropped = zeros < 0 ? digits.slice(zeros) : '';
  if (digits.length + zeros > maxDigits || -zeros > maxDigits || /[1-9]/.test(dropped)) return number;
  const kept = zeros < 0 ? digits.slice(0, zeros) : digits + '0'.repeat(zeros);
  const integer = BigInt(`${sign}${kept === '' ? '0' : kept}`);
  const exact = Number(integer);
  return Number.isSafeInteger(exact) ? exact : integer;
}
