import { TsrunError } from '../../../lib/core/error.ts';
import { quoted } from '../../../lib/core/printable.ts';

/** Units of Go's time.ParseDuration, in milliseconds. */
const units: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const part = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gy;

/**
 * Reads a duration as Go programs write it (`5s`, `500ms`, `1m30s`), in milliseconds. Throws 'usage', naming the
 * flag, for anything else and for one that is not positive.
 */
export function parseDuration(flag: string, text: string): number {
  let milliseconds = 0;
  let length = 0;
  for (const [match, number, unit] of text.replace(/^\+/, '').matchAll(part)) {
    milliseconds += Number(number) * (units[unit ?? ''] ?? Number.NaN);
    length += match.length;
  }
  const isWhole = length > 0 && length === text.replace(/^\+/, '').length;
  if (isWhole && milliseconds > 0 && Number.isFinite(milliseconds)) return milliseconds;
  throw new TsrunError(
    'usage',
    `${flag} ${quoted(text)}: must be a duration greater than 0, such as 5s or 500ms`,
  );
}
