import { printable } from '../../../lib/core/message-text.ts';

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
  return `tsrun: ${word}${oneLine(record.msg)}\n`;
}

/** Line breaks stay readable as `\n`; everything else that could steer a terminal is escaped, too. */
function oneLine(text: string): string {
  return printable(text.replace(/[\n\r\t]/g, (character) => shortEscapes[character] ?? character));
}

const shortEscapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function quoted(text: string): string {
  return oneLine(text.replace(/["\\]/g, '\\$&'));
}

/** `2026-11-21T03:04:05Z`: seconds, as logrus writes it. */
function rfc3339(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}
