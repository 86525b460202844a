import { TsrunError } from '../../../lib/core/error.ts';
import { quoted } from '../../../lib/core/message-text.ts';
import type { Integer } from '../../../lib/config/types.ts';

/**
 * Parsers for the values of flags. The message of each error begins with the flag.
 */

function invalid(flag: string, text: string, why: string): TsrunError {
  return new TsrunError('usage', `${flag} ${quoted(text)}: ${why}`);
}

/** Returns undefined for an empty value, which callers written in Go pass for "none". */
export function given(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

/** A number when it is exact as one, else a bigint; config.json's integers are read in the same way. */
function exact(value: bigint): Integer {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/**
 * Parses a whole number within bounds, which are inclusive.
 * @throws TsrunError 'usage' for anything else
 */
export function parseInteger(flag: string, text: string, [least, most]: readonly [bigint, bigint]): Integer {
  const value = /^[-+]?\d{1,40}$/.test(text) ? BigInt(text.replace(/^\+/, '')) : undefined;
  if (value !== undefined && value >= least && value <= most) return exact(value);
  throw invalid(flag, text, `must be a whole number from ${String(least)} to ${String(most)}`);
}

/** The letters of units of size; the power of 1024 is the position, from 1. */
const sizeUnits = 'kmgtp';

/**
 * Parses a size in bytes: a number that may have a fraction, and a unit (`512m`, `1.5GiB`, `64 kB`: powers of 1024,
 * in either case). -1 stands for no limit.
 * @throws TsrunError 'usage' for anything else and for 2^63 bytes or more
 */
export function parseSize(flag: string, text: string): Integer {
  if (text === '-1') return -1;
  const [, whole, fraction = '', letter] =
    /^(\d{1,19})(?:\.(\d{1,9}))? ?(?:([kmgtp])?i?b?)$/i.exec(text) ?? [];
  if (whole === undefined) throw invalid(flag, text, 'must be a size like 512m or 1.5g, or -1');
  const unit = letter === undefined ? 1n : 1024n ** BigInt(sizeUnits.indexOf(letter.toLowerCase()) + 1);
  const value = (BigInt(whole + fraction) * unit) / 10n ** BigInt(fraction.length);
  if (value < 1n << 63n) return exact(value);
  throw invalid(flag, text, 'more than 2^63-1 bytes');
}

/** The units of Go's time.ParseDuration, in milliseconds. */
const durationUnits: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const durationPart = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gy;

/**
 * Parses a duration as Go programs write it (`5s`, `500ms`, `1m30s`) to milliseconds.
 * @throws TsrunError 'usage' for anything else and for one that is not positive
 */
export function parseDuration(flag: string, text: string): number {
  let milliseconds = 0;
  let length = 0;
  const unsigned = text.replace(/^\+/, '');
  for (const [match, number, unit] of unsigned.matchAll(durationPart)) {
    milliseconds += Number(number) * (durationUnits[unit ?? ''] ?? Number.NaN);
    length += match.length;
  }
  const isWhole = length > 0 && length === unsigned.length;
  if (isWhole && milliseconds > 0 && Number.isFinite(milliseconds)) return milliseconds;
  throw invalid(flag, text, 'must be a duration greater than 0, such as 5s or 500ms');
}

/** setresuid(2) takes 4294967295, which is -1, for "do not change": the process would stay root. */
const largestId = 0xfffffffe;

/**
 * Parses a user or group id.
 * @throws TsrunError 'usage' for anything else
 */
export function parseId(flag: string, text: string): number {
  const id = Number(text);
  if (/^\d+$/.test(text) && id <= largestId) return id;
  throw invalid(flag, text, `must be a number from 0 to ${largestId}`);
}

/**
 * Parses UID or UID:GID, decimal. Callers look up names themselves, as those of runc do.
 * @throws TsrunError 'usage' for anything else
 */
export function parseUser(flag: string, text: string): { uid: number; gid?: number } {
  const [, uid, gid] = /^(\d+)(?::(\d+))?$/.exec(text) ?? [];
  if (uid === undefined) throw invalid(flag, text, 'must be UID or UID:GID, as numbers');
  return { uid: parseId(flag, uid), ...(gid === undefined ? {} : { gid: parseId(flag, gid) }) };
}

/**
 * Parses sub cgroups: one path below the container's cgroups for all hierarchies (its key in the result is ''), or
 * `CONTROLLER[,CONTROLLER]:PATH` for some.
 * @throws TsrunError 'usage' for anything else
 */
export function parseSubCgroups(flag: string, values: readonly string[]): ReadonlyMap<string, string> {
  const paths = new Map<string, string>();
  for (const value of values) {
    const colon = value.indexOf(':');
    if (colon < 0 && values.length > 1) {
      throw invalid(flag, value, `needs a prefix CONTROLLER: when ${flag} is given more than once`);
    }
    const path = value.slice(colon + 1);
    if (path.includes('\0') || path.includes('\n')) {
      throw invalid(flag, value, 'the path has a NUL or a line break in it');
    }
    for (const controller of colon < 0 ? [''] : value.slice(0, colon).split(',')) {
      if (controller === '' && colon >= 0) throw invalid(flag, value, 'the name of a controller is empty');
      if (paths.has(controller)) throw invalid(flag, value, `the controller ${controller} is named twice`);
      paths.set(controller, path);
    }
  }
  return paths;
}

/**
 * Parses ADDRESS:PORT; an IPv6 address may be in brackets.
 * @throws TsrunError 'usage' for anything else
 */
export function parseAddress(flag: string, text: string): { address: string; port: number } {
  const [, address, port] = /^\[?([^\]]+)\]?:(\d{1,5})$/.exec(text) ?? [];
  if (address === undefined || Number(port) > 65535) throw invalid(flag, text, 'must be ADDRESS:PORT');
  return { address, port: Number(port) };
}
