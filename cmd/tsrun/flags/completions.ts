import { commands } from '../command-table.ts';
import type { Flag, Flags } from '../command.ts';
import { globalFlags } from '../command.ts';

/** Shells a completion script can be made for. */
export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** The hidden first argument with which the scripts ask tsrun for candidates. */
export const completeArgument = '--complete-words';

const scripts: Readonly<Record<Shell, string>> = {
  bash: `_tsrun() {
  local IFS=$'\\n'
  COMPREPLY=($(tsrun ${completeArgument} "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _tsrun tsrun
`,
  zsh: `#compdef tsrun
_tsrun() {
  local -a candidates
  candidates=("\${(@f)$(tsrun ${completeArgument} "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -a candidates
}
compdef _tsrun tsrun
`,
  fish: `complete -c tsrun -f -a '(tsrun ${completeArgument} (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
`,
};

/** The completion script of a shell, to be sourced by it. */
export function completionScript(shell: Shell): string {
  return scripts[shell];
}

/**
 * Candidates for the last of the words typed so far: commands, flags and their values, and container ids where one
 * is expected. None where the shell should offer files.
 */
export async function completions(
  words: readonly string[],
  containerIds: (words: readonly string[]) => string[],
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

/** Where the command is: behind the global flags and their values. */
function commandIndex(words: readonly string[]): number {
  let at = 0;
  while (words[at]?.startsWith('-') === true) {
    at += flagWithValue(words[at] ?? '', globalFlags) === undefined ? 1 : 2;
  }
  return at;
}

/** The flag, when the word is one whose value is the next word. */
function flagWithValue(word: string, flags: Flags): Flag | undefined {
  const [, bare = ''] = /^--?([^-=][^=]*)$/.exec(word) ?? [];
  const found = Object.entries(flags).find(([name, { short }]) => name === bare || `-${short}` === word);
  return found?.[1].kind === 'boolean' ? undefined : found?.[1];
}

function matching(start: string, candidates: readonly string[]): string[] {
  return candidates.filter((candidate) => candidate.startsWith(start)).sort();
}

function flagNames(flags: Flags): string[] {
  return Object.entries(flags).flatMap(([name, flag]) => (flag.hidden ? [] : [`--${name}`]));
}
