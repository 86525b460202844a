/**
 * JSON as the text it is: a strict reader (RFC 8259) that says where things are. JSON.parse is faster and
 * makes the values; this is for what it cannot say: the place of an error or of a value, integers beyond
 * 2^53, and names that appear twice. It keeps its own stack, so that depth is an error and not a crash.
 */

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

/** What is told of each part of the text, in its order. Offsets are UTF-16 units; `end` is exclusive. */
export interface JsonHandler {
  open(kind: 'object' | 'array', start: number): void;
  close(end: number): void;
  /** The name of a property; its value is told next. */
  name(name: string, start: number): void;
  /** A string, a number, `true`, `false` or `null`. */
  scalar(start: number, end: number): void;
}

type Expected = 'value' | 'first value' | 'first name' | 'name' | 'comma';

/** @throws JsonSyntaxError */
export function walkJson(text: string, handler: JsonHandler): void {
  const open: ('object' | 'array')[] = [];
  let expected: Expected = 'value';
  let i = skipSpace(text, 0);
  do {
    const c = text[i];
    const inside = open.at(-1);
    if (expected === 'comma') {
      if (c === ',') {
        expected = inside === 'object' ? 'name' : 'value';
        i++;
      } else if (c === (inside === 'object' ? '}' : ']')) {
        open.pop();
        handler.close(++i);
      } else {
        throw unexpected(text, i, inside === 'object' ? '"," or "}"' : '"," or "]"');
      }
    } else if ((expected === 'first name' && c === '}') || (expected === 'first value' && c === ']')) {
      open.pop();
      handler.close(++i);
      expected = 'comma';
    } else if (expected === 'name' || expected === 'first name') {
      if (c !== '"') throw unexpected(text, i, 'a property name in double quotes');
      const end = stringEnd(text, i);
      handler.name(JSON.parse(text.slice(i, end)) as string, i);
      i = skipSpace(text, end);
      if (text[i] !== ':') throw unexpected(text, i, '":" after the property name');
      i++;
      expected = 'value';
    } else if (c === '{' || c === '[') {
      const kind = c === '{' ? 'object' : 'array';
      if (open.push(kind) > maxDepth) {
        throw new JsonSyntaxError(i, `nested more than ${maxDepth} levels deep`);
      }
      handler.open(kind, i++);
      expected = kind === 'object' ? 'first name' : 'first value';
    } else {
      const end = scalarEnd(text, i);
      handler.scalar(i, end);
      i = end;
      expected = 'comma';
    }
    i = skipSpace(text, i);
  } while (open.length > 0);
  if (i < text.length) throw unexpected(text, i, 'nothing after the end of the value');
}

function skipSpace(text: string, start: number): number {
  let i = start;
  for (;;) {
    const c = text.charCodeAt(i);
    if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return i;
    i++;
  }
}

function scalarEnd(text: string, start: number): number {
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
