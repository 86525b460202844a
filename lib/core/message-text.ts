/**
 * Control characters and those that change how a terminal shows the text around them (bidirectional
 * overrides, line separators, half surrogate pairs). Text from a config is hostile: it must not reach a
 * terminal or a log with these in it.
 */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** The text with unprintable characters written as `\u001b`. */
export function printable(text: string): string {
  return text.replace(unprintable, (c) => `\\u${(c.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`);
}

/** The longest value that a message repeats whole, in characters. */
const longestValue = 200;

/** A word with `…` is cut already; punctuation behind a word belongs to the message. */
const longWord = new RegExp(String.raw`[^\s…]{${longestValue},}[^\s…:;,)'"]`, 'gu');

/** A value that is not too long to read, else its beginning, its end and its length. */
export function shortenValue(value: string): string {
  // Array.from() does not cut surrogate pairs.
  const characters = value.length <= longestValue ? [] : Array.from(value);
  if (characters.length <= longestValue) return value;
  const [start, end] = [characters.slice(0, 120), characters.slice(-60)].map((part) => part.join(''));
  return `${start}…${end} (${characters.length} characters)`;
}

/**
 * A message with long words shortened, and the long `values` that it repeats, which may contain spaces. The message may
 * have only the beginning of a value.
 */
export function shortenMessage(message: string, values: readonly string[] = []): string {
  return values
    .filter((value) => value.length > longestValue)
    .flatMap((value) => [value, JSON.stringify(value).slice(1, -1)])
    .reduce(withoutValue, message)
    .replaceAll(longWord, shortenValue);
}

function withoutValue(message: string, value: string): string {
  let rest = message;
  let done = '';
  for (;;) {
    const at = rest.indexOf(value.slice(0, longestValue + 1));
    if (at < 0) return done + rest;
    let size = longestValue + 1;
    while (size < value.length && rest[at + size] === value[size]) size++;
    done += rest.slice(0, at) + shortenValue(value);
    rest = rest.slice(at + size);
  }
}

/** The text, or its first `length - 1` characters and `…`. */
export function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

/** A string in quotes, shortened and printable, for messages that repeat what a user wrote. */
export function quoted(text: string, length = 60): string {
  return printable(JSON.stringify(shorten(text, length)));
}
