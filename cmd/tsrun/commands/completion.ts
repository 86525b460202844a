import { TsrunError } from '../../../lib/core/error.ts';
import { defineCommand } from '../command.ts';
import { completionScript, shells } from '../flags/completions.ts';
import { print } from '../output.ts';

export const command = defineCommand({
  flags: {},
  positionals: [{ name: 'shell', help: `${shells.join(', ')}; bash when left out`, optional: true }],
  examples: ['source <(tsrun completion bash)'],
  run({ args }) {
    const asked = args[0] ?? 'bash';
    const shell = shells.find((known) => known === asked);
    if (shell === undefined) {
      throw new TsrunError('usage', `tsrun completion: no completion for ${JSON.stringify(asked)}`, {
        hint: `there is one for ${shells.join(', ')}`,
      });
    }
    print(completionScript(shell));
    return 0;
  },
});
