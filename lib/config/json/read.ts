import { exactNumber } from './exact-number.ts';

/** How deep objects and arrays may be nested. A config of the specification needs less than ten. */
export const maxDepth = 256;

/** More characters than any number anybody means. */
const maxNumberLength = 1000;

export class JsonSyntaxError extends Error {
  /** Index into the text, in UTF-16 units. */
  readonly offset: number;

  constructor(offset: number, message: string) {
    super(message);
    this.name = 'JsonSyntaxError';
    this.offset = offset;
  }
}

/** The names and indices that lead to a value. The reader changes it after the call that gets it. */
export type JsonPath = readonly (string | number)[];

/** What readJson reports while it reads. */
export interface JsonListener {
  /** Called for each value before its content is read. `start` is in UTF-16 units. */
  value?: (path: JsonPath, start: number) => void;
  /** Called for each name that its object has already. */
  duplicate?: (path: JsonPath) => void;
}

/**
 * Reads JSON strictly (RFC 8259). JSON.parse is faster; this reader also knows where an error or a value is, keeps
 * integers beyond 2^53 exact (as bigints), notices names that appear twice, and limits the depth.
 *
 * @throws JsonSyntaxError at the first error.
 */
export function readJson(text: string, listener: JsonListener = {}): unknown {
  return new Reader(text, listener).document();
}

class Reader {
  readonly #text: string;
  readonly #listener: JsonListener;
  readonly #path: (string | number)[] = [];
  /** The index of the next character. */
  #at = 0;

  constructor(text: string, listener: JsonListener) {
    this.#text = text;
    this.#listener = listener;
  }

  document(): unknown {
    this.#skipSpace();
    const value = this.#value();
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#expected('nothing after the end of the value');
    return value;
  }

  #value(): unknown {
    const start = this.#at;
    const c = this.#text[start];
    const isContainer = c === '{' || c === '[';
    if (isContainer && this.#path.length >= maxDepth) {
      throw new JsonSyntaxError(start, `nested more than ${maxDepth} levels deep`);
    }
    if (!isContainer) this.#at = scalarEnd(this.#text, start);
    this.#listener.value?.(this.#path, start);
    if (c === '{') return this.#object();
    if (c === '[') return this.#array();
    const token = this.#text.slice(start, this.#at);
    return /^[-\d]/.test(token) ? exactNumber(token) : JSON.parse(token);
  }

  #object(): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    for (let more = this.#open('}'); more; more = this.#next('}')) {
      const name = this.#name();
      this.#path.push(name);
      if (Object.hasOwn(object, name)) this.#listener.duplicate?.(this.#path);
      const value = this.#value();
      // Assigning it would change the object's prototype.
      if (name === '__proto__') {
        Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
      } else object[name] = value;
      this.#path.pop();
    }
    return object;
  }

  #array(): unknown[] {
    const array: unknown[] = [];
    for (let more = this.#open(']'); more; more = this.#next(']')) {
      this.#path.push(array.length);
      array.push(this.#value());
      this.#path.pop();
    }
    return array;
  }

  /** Goes to the first element of an object or array; false when there is none. */
  #open(end: '}' | ']'): boolean {
    this.#at++;
    this.#skipSpace();
    if (this.#text[this.#at] !== end) return true;
    this.#at++;
    return false;
  }

  /** Goes to the next element; false when there is none. */
  #next(end: '}' | ']'): boolean {
    this.#skipSpace();
    const c = this.#text[this.#at];
    if (c !== ',' && c !== end) throw this.#expected(`"," or "${end}"`);
    this.#at++;
    if (c === ',') this.#skipSpace();
    return c === ',';
  }

  /** A property's name; goes to its value. */
  #name(): string {
    const start = this.#at;
    if (this.#text[start] !== '"') throw this.#expected('a property name in double quotes');
    this.#at = stringEnd(this.#text, start);
    const name = JSON.parse(this.#text.slice(start, this.#at)) as string;
    this.#skipSpace();
    if (this.#text[this.#at] !== ':') throw this.#expected('":" after the property name');
    this.#at++;
    this.#skipSpace();
    return name;
  }

  #skipSpace(): void {
    for (;;) {
      const c = this.#text.charCodeAt(this.#at);
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return;
      this.#at++;
    }
  }

  #expected(what: string): JsonSyntaxError {
    return unexpected(this.#text, this.#at, what);
  }
}

/** The index after the string, number, `true`, `false` or `null` that begins at `start`. @throws JsonSyntaxError */
export function scalarEnd(text: string, start: number): number {
  const c = text[start];
  if (c === '"') return stringEnd(text, start);
  // The slice bounds the work, and the regular expression's stack, on a token of megabytes.
  const word = /^[-+.\w]*/.exec(text.slice(start, start + maxNumberLength + 1))?.[0] ?? '';
  if (word.length > maxNumberLength) {
    throw new JsonSyntaxError(start, `a number or word of more than ${maxNumberLength} characters`);
  }
  if (word === 'true' || word === 'false' || word === 'null') return start + word.length;
  if (/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/.test(word)) return start + word.length;
  throw unexpected(text, start, 'a value');
}

/** The index after the closing quote of the string that begins at `start`. */
function stringEnd(text: string, start: number): number {
  const special = /["\\\p{Cc}]/gu;
  special.lastIndex = start + 1;
  for (let found = special.exec(text); found !== null; found = special.exec(text)) {
    const c = found[0];
    if (c === '"') return found.index + 1;
    if (c === '\\') {
      const escape = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y;
      escape.lastIndex = found.index;
      if (!escape.test(text)) throw new JsonSyntaxError(found.index, 'an escape that JSON does not have');
      special.lastIndex = escape.lastIndex;
    } else if (c < ' ') {
      const what =
        c === '\n' || c === '\r' ? 'the line ends inside a string' : 'a control character in a string';
      throw new JsonSyntaxError(found.index, what);
    }
  }
  throw new JsonSyntaxError(start, 'a string without an end');
}

function unexpected(text: string, offset: number, expected: string): JsonSyntaxError {
  return new JsonSyntaxError(offset, `expected ${expected}, found ${found(text, offset)}`);
}

function found(text: string, offset: number): string {
  if (offset >= text.length) return 'the end of the file';
  const rest = text.slice(offset, offset + 40);
  if (rest.startsWith('//') || rest.startsWith('/*') || rest.startsWith('#'))
    return 'a comment, which JSON does not have';
  if (rest.startsWith("'")) return 'a single quote; JSON strings have double quotes';
  if (/^[}\]]/.test(rest) && /,\s*$/.test(text.slice(Math.max(0, offset - 200), offset))) {
    return `${JSON.stringify(rest.charAt(0))} after a trailing comma`;
  }
  const word = /^(?:[-+.\w]+|.)/su.exec(rest)?.[0] ?? rest;
  return JSON.stringify(word);
}
