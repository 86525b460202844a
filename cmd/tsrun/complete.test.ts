import { expect } from 'chai';
import { globalFlags } from './command.ts';
import { commands } from './commands.ts';
import { completions } from './complete.ts';

const ids = (): string[] => ['web', 'worker', 'db'];

async function offered(line: string): Promise<string[]> {
  return await completions(line.split(' '), ids);
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
});
