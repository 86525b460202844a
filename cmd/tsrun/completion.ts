import { listIds } from '../../lib/state/store.ts';
import { type CommandTable, type Flag, type Flags, globalFlags } from './command.ts';
import { rootOf } from './context.ts';
import { flagOf, parseFlags } from './flags/parse.ts';

/**
 * Candidates for the last word of a command line: commands, flags and their values, and container ids. None where
 * the shell should offer files.
 */
export async function completions(
  words: readonly string[],
  commands: CommandTable,
  containerIds = knownIds,
): Promise<string[]> {
  const current = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const at = commandIndex(before);
  const name = before[at];
  const command = name === undefined || !Object.hasOwn(commands, name) ? undefined : commands[name];
  if (name !== undefined && command === undefined) return [];
  const { flags, positionals } = (await command?.load())?.command ?? { flags: globalFlags, positionals: [] };
  const valued = flagWithValue(before.at(-1) ?? '', flags);
  if (valued !== undefined) return matching(current, valued.choices ?? []);
  if (name === undefined)
    return matching(current, current.startsWith('-') ? flagNames(globalFlags) : Object.keys(commands));
  if (current.startsWith('-')) return matching(current, [...flagNames(flags), '--help']);
  const namesExisting = positionals[0]?.name === 'container-id' && name !== 'create' && name !== 'run';
  return namesExisting ? matching(current, containerIds(words)) : [];
}

/** The ids below the --root among the words, or below the default one; none when they cannot be read. */
function knownIds(words: readonly string[]): string[] {
  try {
    const { flags } = parseFlags(words, globalFlags, { program: 'tsrun', stopAtPositional: true });
    return listIds(rootOf(flags).path);
  } catch {
    return [];
  }
}

/** The index of the command, which follows the global flags and their values. */
function commandIndex(words: readonly string[]): number {
  let at = 0;
  while (words[at]?.startsWith('-') === true) {
    at += flagWithValue(words[at] ?? '', globalFlags) === undefined ? 1 : 2;
  }
  return at;
}

/** The flag whose value is the word after this one. */
function flagWithValue(word: string, flags: Flags): Flag | undefined {
  const found = flagOf(word, flags);
  return found?.flag.kind === 'boolean' || found?.inline !== undefined ? undefined : found?.flag;
}

function matching(start: string, candidates: readonly string[]): string[] {
  return candidates.filter((candidate) => candidate.startsWith(start)).sort();
}

function flagNames(flags: Flags): string[] {
  return Object.entries(flags).flatMap(([name, flag]) => (flag.hidden ? [] : [`--${name}`]));
}
