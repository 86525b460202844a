import { expect } from 'chai';
import { globalFlags } from './command.ts';
import { commands } from './command-table.ts';
import { completionScript } from './commands/completion.ts';
import { completions } from './completion.ts';

const ids = (): string[] => ['web', 'worker', 'db'];

async function offered(line: string): Promise<string[]> {
  return await completions(line.split(' '), commands, ids);
}

describe('completion', () => {
  it('offers commands and global flags', async () => {
    expect(await offered('')).to.have.members(Object.keys(commands));
    expect(await offered('re')).to.deep.equal(['restore', 'resume']);
    expect(await offered('--root /x st')).to.deep.equal(['start', 'state', 'stats']);
    expect(await offered('--log-format=json --debug ev')).to.deep.equal(['events']);
    expect(await offered('--log-f')).to.deep.equal(['--log-format']);
    expect(await offered('--')).to.have.length(
      Object.values(globalFlags).filter((flag) => !('hidden' in flag)).length,
    );
  });

  it('offers the flags of the command, behind the global ones', async () => {
    expect(await offered('create --no-')).to.deep.equal(['--no-new-keyring', '--no-pivot']);
    expect(await offered('--root run delete --f')).to.deep.equal(['--force']);
    expect(await offered('list -'))
      .to.include('--help')
      .and.not.include('--root');
  });

  it('offers containers where there must be one', async () => {
    for (const line of ['start w', 'kill w', 'exec --tty w', '-root /x delete --force w']) {
      expect(await offered(line), line).to.deep.equal(['web', 'worker']);
    }
    for (const line of ['create w', 'run w', 'spec ', 'nonsense ', 'nonsense -']) {
      expect(await offered(line), line).to.deep.equal([]);
    }
  });

  it('offers the values a flag can have, and leaves files to the shell', async () => {
    expect(await offered('--log-format ')).to.deep.equal(['json', 'text']);
    expect(await offered('list --format t')).to.deep.equal(['table']);
    for (const line of ['--root ', '--log w', 'exec --process w', 'exec -p w', 'create -b ']) {
      expect(await offered(line), line).to.deep.equal([]);
    }
  });

  it('knows a flag with a value by its short name, and one whose value is given', async () => {
    expect(await offered('list -f ')).to.deep.equal(['json', 'table']);
    expect(await offered('list -format=json -')).to.include('--quiet');
    expect(await offered('exec --tty -')).to.include('--detach');
    expect(await offered('delete -f w')).to.deep.equal(['web', 'worker']);
    // No flag is called like this; neither are these words.
    for (const word of ['--', '-', '---', '-x', 'f', '-=']) {
      expect(await offered(`delete ${word} w`), word).to.deep.equal(['web', 'worker']);
    }
  });

  it('hands the words typed over to whoever knows the containers, and sorts', async () => {
    const asked: string[][] = [];
    const known = (words: readonly string[]): string[] => {
      asked.push([...words]);
      return ['b', 'a'];
    };
    expect(await completions(['--root', '/x', 'start', ''], commands, known)).to.deep.equal(['a', 'b']);
    expect(asked).to.deep.equal([['--root', '/x', 'start', '']]);
    expect(await completions([], commands, known)).to.have.members(Object.keys(commands));
  });

  it('offers no hidden flags, and no name an object has anyway', async () => {
    expect(await offered('--log-')).to.deep.equal(['--log-format']);
    expect(await offered('update --kernel')).to.deep.equal([]);
    expect(await offered('toString -')).to.deep.equal([]);
  });

  it('has a script for each shell that asks with the words typed', () => {
    const asks: Record<string, string> = {
      bash: '$(tsrun --complete-words "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)',
      zsh: '$(tsrun --complete-words "${(@)words[2,CURRENT]}" 2>/dev/null)',
      fish: '(tsrun --complete-words (commandline -opc)[2..] (commandline -ct) 2>/dev/null)',
    };
    for (const [shell, words] of Object.entries(asks)) {
      expect(completionScript(shell), shell).to.include(words);
    }
    expect(completionScript('bash')).to.match(/\ncomplete -o default -F _tsrun tsrun\n$/);
    expect(completionScript('zsh')).to.match(/^#compdef tsrun\n[^]*\ncompdef _tsrun tsrun\n$/);
    expect(completionScript('fish')).to.match(/^complete -c tsrun -f -a '/);
  });
});
