import { TsrunError } from '../../../lib/core/error.ts';
import type { Flag, Flags, FlagValues } from '../command.ts';
import { nearest } from '../../../lib/core/nearest.ts';

/**
 * A parser with the habits of the command lines that engines were written against (Go's flag package): `-flag`
 * is `--flag`, a value may begin with a dash (`--memory-swap -1`), and some commands stop at the first
 * positional. util.parseArgs knows none of the three.
 */

export interface Parsed<F extends Flags> {
  flags: FlagValues<F>;
  args: string[];
  /** Index of the first argument that was not looked at; all were when it equals the length. */
  rest: number;
}

interface ParseOptions {
  /** Prefix of usage errors: `tsrun create`. */
  program: string;
  /** Leave everything from the first positional on in place. */
  stopAtPositional: boolean;
}

type Value = boolean | string | number | string[] | undefined;

/** Parses `argv` by a table of flags. Throws a usage error that names the flag and, if close, the one meant. */
export function parseFlags<const F extends Flags>(
  argv: readonly string[],
  flags: F,
  options: ParseOptions,
): Parsed<F> {
  const byShort = new Map<string, string>();
  for (const [name, flag] of Object.entries(flags)) {
    if (flag.short !== undefined) byShort.set(flag.short, name);
  }
  const values: Record<string, Value> = {};
  for (const [name, flag] of Object.entries(flags)) {
    values[name] = flag.kind === 'boolean' ? false : flag.kind === 'strings' ? [] : undefined;
  }
  const args: string[] = [];
  let i = 0;
  for (; i < argv.length; i++) {
    const argument = argv[i] ?? '';
    if (argument === '--') {
      i++;
      break;
    }
    if (argument === '-' || !argument.startsWith('-')) {
      if (options.stopAtPositional) break;
      args.push(argument);
      continue;
    }
    const equals = argument.indexOf('=');
    const written = equals < 0 ? argument : argument.slice(0, equals);
    const inline = equals < 0 ? undefined : argument.slice(equals + 1);
    const bare = written.replace(/^--?/, '');
    const name = Object.hasOwn(flags, bare) ? bare : written.startsWith('--') ? undefined : byShort.get(bare);
    const flag = name === undefined ? undefined : flags[name];
    if (name === undefined || flag === undefined) {
      if (expandShorts(argument, byShort, flags)) {
        for (const letter of argument.slice(1)) values[byShort.get(letter) ?? ''] = true;
        continue;
      }
      throw unknownFlag(written, Object.keys(flags), options.program);
    }
    if (flag.kind === 'boolean') {
      values[name] = booleanValue(written, inline, options.program);
      continue;
    }
    const value = inline ?? argv[++i];
    if (value === undefined) {
      throw new TsrunError(
        'usage',
        `${options.program}: ${written} needs a value (${flag.value ?? 'VALUE'})`,
      );
    }
    const before = values[name];
    values[name] = Array.isArray(before)
      ? [...before, value]
      : convert(written, flag, value, options.program);
  }
  if (!options.stopAtPositional) {
    args.push(...argv.slice(i));
    i = argv.length;
  }
  return { flags: values as FlagValues<F>, args, rest: i };
}

/** `-td` is `-t -d` when every letter is a boolean flag. */
function expandShorts(argument: string, byShort: ReadonlyMap<string, string>, flags: Flags): boolean {
  if (argument.startsWith('--') || argument.length < 3) return false;
  return argument
    .slice(1)
    .split('')
    .every((letter) => flags[byShort.get(letter) ?? '']?.kind === 'boolean');
}

function booleanValue(written: string, inline: string | undefined, program: string): boolean {
  if (inline === undefined || inline === 'true' || inline === '1') return true;
  if (inline === 'false' || inline === '0') return false;
  throw new TsrunError('usage', `${program}: ${written} is true or false, not ${JSON.stringify(inline)}`);
}

function convert(written: string, flag: Flag, value: string, program: string): string | number {
  if (flag.choices !== undefined && !flag.choices.includes(value)) {
    throw new TsrunError(
      'usage',
      `${program}: ${written} is one of ${flag.choices.join(', ')}, not ${JSON.stringify(value)}`,
    );
  }
  if (flag.kind !== 'integer') return value;
  const number = Number(value);
  if (!/^-?\d+$/.test(value) || !Number.isSafeInteger(number)) {
    throw new TsrunError('usage', `${program}: ${written} is a whole number, not ${JSON.stringify(value)}`);
  }
  return number;
}

function unknownFlag(written: string, names: readonly string[], program: string): TsrunError {
  const meant = nearest(written.replace(/^-+/, ''), names);
  return new TsrunError(
    'usage',
    `${program}: unknown flag ${written}`,
    meant === undefined ? {} : { hint: `did you mean --${meant}?` },
  );
}
