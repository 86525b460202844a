import { basename } from 'node:path';
import type { ErrorCode, ErrorDetails } from '../core/error.ts';
import { TsrunError } from '../core/error.ts';
import { locate } from './json/locate.ts';
import { briefMessage, printable, shorten } from '../core/printable.ts';

/** What an error needs of a bundle: the config's text and the file it came from. */
export interface ConfigSource {
  text: string;
  file: string;
}

/**
 * Says something of a property in the terms of the file the user wrote:
 * `config.json:12:17: /mounts/2/source "/srv/data": bind source does not exist`. The place is that of the
 * value, or of its nearest parent when it is absent. The result is one line and safe to print.
 */
export function atConfig(source: ConfigSource, pointer: string, reason: string): string {
  const { line, column, source: value } = locate(source.text, pointer);
  const what = [shorten(pointer, 200), shorten(value ?? '', 60)].filter((part) => part !== '').join(' ');
  const place = `${basename(source.file)}:${line}:${column}`;
  const text = [place, what, reason].filter((part) => part !== '').join(': ');
  return printable(briefMessage(text, value === undefined ? [] : [value.replace(/^"(.*)"$/s, '$1')]));
}

/** The error that a property of the config is at fault, code 'config' unless given. */
export function configError(
  source: ConfigSource,
  pointer: string,
  reason: string,
  details: ErrorDetails & { code?: ErrorCode } = {},
): TsrunError {
  const { code = 'config', ...rest } = details;
  return new TsrunError(code, atConfig(source, pointer, reason), { ...rest, pointer });
}
