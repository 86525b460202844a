import { commands } from './commands.ts';
import type { Flags } from './command.ts';
import { globalFlags } from './command.ts';

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

/** Candidates for the last of the words typed so far: commands, flags, and container ids where one is expected. */
export async function completions(
  words: readonly string[],
  containerIds: (words: readonly string[]) => string[],
): Promise<string[]> {
  const current = words.at(-1) ?? '';
  const name = words.slice(0, -1).find((word) => Object.hasOwn(commands, word));
  if (name === undefined)
    return matching(current, current.startsWith('-') ? flagNames(globalFlags) : Object.keys(commands));
  const command = (await commands[name]?.load())?.command;
  if (command === undefined) return [];
  if (current.startsWith('-')) return matching(current, [...flagNames(command.flags), '--help']);
  const namesExisting =
    command.positionals[0]?.name === 'container-id' && name !== 'create' && name !== 'run';
  return namesExisting ? matching(current, containerIds(words)) : [];
}

function matching(start: string, candidates: readonly string[]): string[] {
  return candidates.filter((candidate) => candidate.startsWith(start)).sort();
}

function flagNames(flags: Flags): string[] {
  return Object.entries(flags).flatMap(([name, flag]) => (flag.hidden ? [] : [`--${name}`]));
}
