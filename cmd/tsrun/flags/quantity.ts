import { TsrunError } from '../../../lib/core/error.ts';
import { quoted } from '../../../lib/core/printable.ts';
import type { Integer } from '../../../lib/config/types.ts';

/** 1024 to which power, by the letter. */
const powers = 'kmgtp';

/** A number when it is exact as one, else a bigint; as a config's integers are read. */
function exact(value: bigint): Integer {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/**
 * Reads an integer of a command line. Throws 'usage', naming the flag, for anything else and for one outside of
 * the bounds, which are inclusive.
 */
export function parseInteger(flag: string, text: string, [least, most]: readonly [bigint, bigint]): Integer {
  const value = /^[-+]?\d{1,40}$/.test(text) ? BigInt(text.replace(/^\+/, '')) : undefined;
  if (value !== undefined && value >= least && value <= most) return exact(value);
  const range = `from ${String(least)} to ${String(most)}`;
  throw new TsrunError('usage', `${flag} ${quoted(text)}: must be a whole number ${range}`);
}

/**
 * Reads a size in bytes: a number that may have a fraction, and a unit (`512m`, `1.5GiB`, `64 kB`: powers of 1024,
 * in either case). -1 stands for no limit.
 */
export function parseSize(flag: string, text: string): Integer {
  if (text === '-1') return -1;
  const [, whole, fraction = '', letter] =
    /^(\d{1,19})(?:\.(\d{1,9}))? ?(?:([kmgtp])?i?b?)$/i.exec(text) ?? [];
  if (whole === undefined) {
    throw new TsrunError('usage', `${flag} ${quoted(text)}: must be a size like 512m or 1.5g, or -1`);
  }
  const unit = letter === undefined ? 1n : 1024n ** BigInt(powers.indexOf(letter.toLowerCase()) + 1);
  const value = (BigInt(whole + fraction) * unit) / 10n ** BigInt(fraction.length);
  if (value < 1n << 63n) return exact(value);
  throw new TsrunError('usage', `${flag} ${quoted(text)}: more than 2^63-1 bytes`);
}
