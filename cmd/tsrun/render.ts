import { basename } from 'node:path';
import { locate } from '../../lib/config/json/locate.ts';
import type { Notice } from '../../lib/core/finding.ts';
import { shortenMessage, printable, quoted, shorten } from '../../lib/core/message-text.ts';
import type { Document, Position } from '../../lib/core/source.ts';

/**
 * A notice as one line, in the terms of what the user wrote:
 * `config.json:12:17: /mounts/2/source "/srv/data": must be an absolute path`, or `--cwd "tmp": must be an absolute path`. The
 * place is that of the value, or of its nearest parent when it is absent. The result is safe to print.
 *
 * @param values strings of the user's that the reason may repeat: long ones are cut.
 */
export function renderNotice(
  { reason, pointer = '', source }: Notice,
  values: readonly string[] = [],
): string {
  if (source === undefined) return printable(shortenMessage(reason, values));
  if ('flag' in source) {
    const { flag, value } = source;
    const what = value === undefined ? flag : `${flag} ${quoted(value)}`;
    return printable(shortenMessage(`${what}: ${reason}`, value === undefined ? values : [value, ...values]));
  }
  const file = basename(source.file);
  if ('position' in source) {
    const { line, column } = source.position;
    return printable(shortenMessage(`${file}:${line}:${column}: ${reason}`, values));
  }
  const inside = pointerInside(source, pointer);
  const { line, column, source: value } = locate(source.text, inside);
  const what = [shorten(inside, 200), shorten(value ?? '', 60)].filter((part) => part !== '').join(' ');
  const whole = [`${file}:${line}:${column}`, what, reason].filter((part) => part !== '').join(': ');
  const inQuotes = value === undefined ? [] : [value.replace(/^"(.*)"$/s, '$1')];
  return printable(shortenMessage(whole, [...inQuotes, ...values]));
}

/** A warning with its hint, as one line. */
export function renderWarning(notice: Notice): string {
  const text = renderNotice(notice);
  return notice.hint === undefined ? text : `${text}; ${printable(notice.hint)}`;
}

/** The line and column a notice is about; the start of the file when it names none. */
export function noticePosition({ pointer = '', source }: Notice): Position {
  if (source === undefined || 'flag' in source) return { line: 1, column: 1 };
  if ('position' in source) return source.position;
  const { line, column } = locate(source.text, pointerInside(source, pointer));
  return { line, column };
}

/** The pointer from the document's own root. */
function pointerInside({ base = '' }: Document, pointer: string): string {
  return pointer.startsWith(base) ? pointer.slice(base.length) : pointer;
}
