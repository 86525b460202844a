/**
 * Control characters and those that change how a terminal shows the text around them (bidirectional
 * overrides, line separators, half surrogate pairs). Text from a config is hostile: it must not reach a
 * terminal or a log with these in it.
 */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** The text with what a terminal must not see written as `\u001b`. */
export function printable(text: string): string {
  return text.replace(unprintable, (c) => `\\u${(c.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`);
}

/** The longest value that a message repeats whole, in characters. */
const longestValue = 200;

/** What is cut already is left alone, and so is punctuation behind it, which is the message's own. */
const longWord = new RegExp(String.raw`[^\s…]{${longestValue},}[^\s…:;,)'"]`, 'gu');

/** As long as anything of it is worth reading: the ends of what somebody wrote, and how long it is. */
export function shortenValue(value: string): string {
  // By characters: half a surrogate pair is none.
  const characters = value.length <= longestValue ? [] : Array.from(value);
  if (characters.length <= longestValue) return value;
  const [start, end] = [characters.slice(0, 120), characters.slice(-60)].map((part) => part.join(''));
  return `${start}…${end} (${characters.length} characters)`;
}

/**
 * A message with what is too long in it cut: any word, and the `values` it names, which may have spaces in them
 * and be cut off themselves.
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

/** The text cut to `length` characters, its last one `…` when something was cut. */
export function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

/** A string in quotes, short and printable: for messages that say what somebody wrote. */
export function quoted(text: string, length = 60): string {
  return printable(JSON.stringify(shorten(text, length)));
}
