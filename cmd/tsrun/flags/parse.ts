import { TsrunError } from '../../../lib/core/error.ts';
import { nearestWord } from '../../../lib/core/nearest-word.ts';
import { type Flag, type Flags, type FlagValues, globalFlags } from '../command.ts';

/**
 * A parser that reads a command line as Go's flag package does, for which callers of runc write it: `-flag` is
 * `--flag`, a value may begin with a dash (`--memory-swap -1`), and some commands stop at the first positional.
 * util.parseArgs supports none of the three.
 */

export interface Parsed<F extends Flags> {
  flags: FlagValues<F>;
  args: string[];
  /** Index of the first argument that was not parsed; the length of argv when all were. */
  rest: number;
}

interface ParseOptions {
  /** Prefix of usage errors: `tsrun create`. */
  program: string;
  /** Stop at the first positional. */
  stopAtPositional: boolean;
}

type Value = boolean | string | number | string[] | undefined;

/** A word of the command line that is a known flag. */
export interface FlagWord {
  name: string;
  flag: Flag;
  /** What follows `=`; undefined without one. */
  inline: string | undefined;
}

/** Reads a word as a flag of the table: `--name`, `-name` or `-n`, with or without `=value`. */
export function flagOf(word: string, flags: Flags): FlagWord | undefined {
  const [, dashes, bare = '', inline] = /^(--?)([^=]*)(?:=([^]*))?$/.exec(word) ?? [];
  if (dashes === undefined) return undefined;
  const name = Object.hasOwn(flags, bare)
    ? bare
    : Object.keys(flags).find((long) => dashes === '-' && flags[long]?.short === bare);
  const flag = name === undefined ? undefined : flags[name];
  return name === undefined || flag === undefined ? undefined : { name, flag, inline };
}

/**
 * Parses `argv` by a table of flags.
 * @throws TsrunError 'usage', with a hint when a flag of the table has a similar name, or a global flag has this one
 */
export function parseFlags<const F extends Flags>(
  argv: readonly string[],
  flags: F,
  { program, stopAtPositional }: ParseOptions,
): Parsed<F> {
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
      if (stopAtPositional) break;
      args.push(argument);
      continue;
    }
    const written = argument.replace(/=[^]*/, '');
    const found = flagOf(argument, flags);
    if (found === undefined) {
      const names = shortFlags(argument, flags) ?? unknownFlag(argument, flags, program);
      for (const name of names) values[name] = true;
      continue;
    }
    const { name, flag, inline } = found;
    if (flag.kind === 'boolean') {
      values[name] = booleanValue(written, inline, program);
      continue;
    }
    const value = inline ?? argv[++i];
    if (value === undefined) {
      throw new TsrunError('usage', `${program}: ${written} needs a value (${flag.value ?? 'VALUE'})`);
    }
    const before = values[name];
    values[name] = Array.isArray(before) ? [...before, value] : convert(written, flag, value, program);
  }
  if (!stopAtPositional) {
    args.push(...argv.slice(i));
    i = argv.length;
  }
  return { flags: values as FlagValues<F>, args, rest: i };
}

/** The flags of `-td`, which is `-t -d`; undefined unless every letter is a boolean flag. */
function shortFlags(argument: string, flags: Flags): string[] | undefined {
  const found = Array.from(argument.slice(1), (letter) => flagOf(`-${letter}`, flags));
  const names = found.flatMap((word) => (word?.flag.kind === 'boolean' ? [word.name] : []));
  return names.length === found.length ? names : undefined;
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

function unknownFlag(argument: string, flags: Flags, program: string): never {
  const written = argument.replace(/=[^]*/, '');
  const meant = nearestWord(written.replace(/^-+/, ''), Object.keys(flags));
  const similar = meant === undefined ? undefined : `did you mean --${meant}?`;
  throw new TsrunError('usage', `${program}: unknown flag ${written}`, {
    hint: globalFlagHint(argument, program) ?? similar,
  });
}

/** For a global flag behind the name of the command. */
function globalFlagHint(argument: string, program: string): string | undefined {
  const found = flagOf(argument, globalFlags);
  if (found === undefined) return undefined;
  const { name, flag } = found;
  const usage = flag.value === undefined ? `--${name}` : `--${name} ${flag.value}`;
  return `--${name} goes before the command: ${program.replace(' ', ` ${usage} `)} …`;
}
