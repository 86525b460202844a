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

/** The text cut to `length` characters, its last one `…` when something was cut. */
export function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

/** A string in quotes, short and printable: for messages that say what somebody wrote. */
export function quoted(text: string, length = 60): string {
  return printable(JSON.stringify(shorten(text, length)));
}
