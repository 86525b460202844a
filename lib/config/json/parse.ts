import { pointerTo } from '../../core/pointer.ts';
import { readJson } from './read.ts';

/**
 * Numbers JSON.parse may change: a run of 16 digits or more, or an exponent. A match inside a string only makes the
 * slower reader do the work.
 */
const maybeInexact = /\d{16}|[[:,\s]-?\d[\d.]*[eE]/;

/**
 * The value of a JSON text. Integers that a JavaScript number cannot hold exactly are bigints; of a name that appears
 * twice the last value counts.
 *
 * @throws JsonSyntaxError with the place of the first error.
 */
export function parseJson(text: string): unknown {
  if (maybeInexact.test(text)) return readJson(text);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The engine's own message has no place one can rely on; its RangeError (depth) says nothing at all.
    return readJson(text);
  }
}

/** A quote that ends a string (no backslash escapes it), or begins one, before a colon. */
const quoteBeforeColon = /(?<!\\)(?:\\\\)*"[ \t\r\n]*:/g;

/**
 * Names that appear more than once in one object, as pointers, each once.
 *
 * @param value the value of the text, which is valid JSON.
 */
export function duplicateNames(text: string, value: unknown): string[] {
  // Each name has such a quote. Other quotes before a colon begin a string (`":80"`); they only cost the exact look.
  const quotes = text.match(quoteBeforeColon)?.length ?? 0;
  if (quotes === countNames(value)) return [];
  const duplicates = new Set<string>();
  readJson(text, { duplicate: (path) => duplicates.add(pointerTo('', ...path)) });
  return [...duplicates];
}

function countNames(root: unknown): number {
  let count = 0;
  const rest = [root];
  for (let value = rest.pop(); value !== undefined; value = rest.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    const children = Object.values(value) as unknown[];
    if (!Array.isArray(value)) count += children.length;
    for (const child of children) if (typeof child === 'object') rest.push(child);
  }
  return count;
}
