import { TsrunError } from '../../../lib/core/error.ts';
import { completeArgument, defineCommand } from '../command.ts';
import { print } from '../output.ts';

const scripts = {
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
} as const;

const shells = Object.keys(scripts).join(', ');

export const command = defineCommand({
  flags: {},
  positionals: [{ name: 'shell', help: `${shells} (default: bash)`, optional: true }],
  examples: ['source <(tsrun completion bash)'],
  run({ args: [shell = 'bash'] }) {
    print(completionScript(shell));
    return 0;
  },
});

/**
 * The script that a shell must source to complete command lines of tsrun.
 * @throws TsrunError 'usage' for an unknown shell
 */
export function completionScript(shell: string): string {
  const script = Object.entries(scripts).find(([name]) => name === shell)?.[1];
  if (script !== undefined) return script;
  throw new TsrunError('usage', `tsrun completion: no completion for ${JSON.stringify(shell)}`, {
    hint: `there is one for ${shells}`,
  });
}
