/** The shapes of a log record. Pure. */

export type LogLevel = 'error' | 'warning' | 'info' | 'debug';

export type LogFormat = 'text' | 'json';

export interface LogRecord {
  level: LogLevel;
  msg: string;
  time: Date;
}

/** One record as a line with its newline: the shapes containerd, podman and docker read (logrus). */
export function formatRecord(record: LogRecord, format: LogFormat): string {
  const time = rfc3339(record.time);
  if (format === 'json') return `${JSON.stringify({ level: record.level, msg: record.msg, time })}\n`;
  return `time="${time}" level=${record.level} msg="${quoted(record.msg)}"\n`;
}

/** A record for a person at a terminal: `tsrun: warning: …`; errors need no word before them. */
export function formatForPeople(record: LogRecord): string {
  const word = record.level === 'error' ? '' : `${record.level}: `;
  return `tsrun: ${word}${printable(record.msg)}\n`;
}

/**
 * Text that cannot steer a terminal or fake another line: control characters, bidirectional marks and lone
 * surrogates become escapes. What a config.json says ends up in messages, and its author may be hostile.
 */
export function printable(text: string): string {
  return text.replace(unprintable, escape);
}

// C0 and C1 controls and DEL, line and paragraph separators, bidirectional controls, halves of surrogate pairs.
const unprintable =
  // eslint-disable-next-line no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escape(character: string): string {
  return short[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function quoted(text: string): string {
  return printable(text.replace(/["\\]/g, '\\$&'));
}

/** `2026-11-21T03:04:05Z`: seconds, as logrus writes it. */
function rfc3339(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}
