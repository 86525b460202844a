import { expect } from 'chai';
import { type Command, type Flag, type Flags, globalFlags } from './command.ts';
import { commands } from './command-table.ts';
import { commandHelp, overview } from './help.ts';
import { parseFlags } from './flags/parse.ts';

/** The long names under "Options:". */
function shownFlags(help: string): string[] {
  const [, options = ''] = /^Options:\n((?: .*\n?)*)/m.exec(help) ?? [];
  return [...options.matchAll(/^ +(?:-\w, )?--([\w-]+)/gm)].map(([, name = '']) => name);
}

function visible(flags: Flags): string[] {
  return Object.entries(flags).flatMap(([name, flag]) => (flag.hidden === true ? [] : [name]));
}

async function load(name: string): Promise<Command> {
  const entry = commands[name];
  if (entry === undefined) throw new Error(`no command ${name}`);
  return (await entry.load()).command;
}

/** A value the flag takes; none for a boolean one. */
function sampleOf({ kind, choices }: Flag): string[] {
  if (kind === 'boolean') return [];
  return [kind === 'integer' ? '1' : (choices?.[0] ?? 'x')];
}

describe('help', () => {
  it('lists every command and every global flag', async () => {
    const text = await overview();
    expect([...text.matchAll(/^ +tsrun (\w+) +\S/gm)].map(([, name]) => name)).to.deep.equal(
      Object.keys(commands),
    );
    expect(shownFlags(text)).to.deep.equal(visible(globalFlags));
  });

  it('begins with how tsrun is called, and ends with where there is more', async () => {
    const text = await overview();
    expect(text).to.match(
      /^tsrun \[global flags\] COMMAND \[flags\] \[arguments\]\n\nRuns OCI containers\.\n\nCommands:\n/,
    );
    expect(text).to.match(/\n`tsrun COMMAND --help` shows the flags of a command\.$/);
  });

  it('says of each flag and argument how it is written', async () => {
    const text = await commandHelp('do', 'does it', {
      flags: {
        file: { kind: 'string', short: 'f', value: 'FILE', help: 'read FILE' },
        count: { kind: 'integer', help: 'how many' },
        all: { kind: 'boolean', short: 'a', help: 'all of them' },
        mode: { kind: 'string', choices: ['x', 'y'], help: 'the mode' },
        secret: { kind: 'boolean', help: 'not shown', hidden: true },
        word: { kind: 'strings', value: 'W', help: 'words' },
      },
      positionals: [
        { name: 'id', help: 'the id' },
        { name: 'more', help: 'the rest', optional: true, rest: true },
      ],
      examples: ['tsrun do -a x'],
      run: () => 0,
    });
    expect(text.replaceAll(/ {2,}/g, '  ').split('\n')).to.deep.equal([
      'tsrun do [flags] <id> [more...]',
      '',
      'does it',
      '',
      'Positionals:',
      '  id  the id  [string]',
      '  more  the rest  [string]',
      '',
      'Options:',
      '  -f, --file  FILE: read FILE  [string]',
      '  --count  how many  [number]',
      '  -a, --all  all of them  [boolean]',
      '  --mode  the mode  [string] [choices: "x", "y"]',
      '  --word  W: words  [string]',
      '',
      'Examples:',
      '  tsrun do -a x',
    ]);
    const bare = await commandHelp('do', 'does it', {
      flags: {},
      positionals: [
        { name: 'id', help: 'x', optional: true },
        { name: 'words', help: 'y', rest: true },
      ],
      run: () => 0,
    });
    expect(bare)
      .to.match(/^tsrun do \[id\] <words\.\.\.>\n/)
      .and.not.contain('Examples');
    for (const line of text.split('\n')) expect(line.length).to.be.at.most(110);
  });

  for (const [name, { summary }] of Object.entries(commands)) {
    it(`of ${name} has exactly its flags and arguments`, async () => {
      const command = await load(name);
      const text = await commandHelp(name, summary, command);
      const flags = visible(command.flags);
      expect(text)
        .to.contain(`tsrun ${name}${flags.length === 0 ? '' : ' [flags]'}`)
        .and.contain(summary);
      expect(text.includes('[flags]')).to.equal(flags.length > 0);
      expect(shownFlags(text)).to.deep.equal(flags);
      for (const { name: argument, help } of command.positionals) {
        expect(text).to.contain(argument).and.contain(help.slice(0, 40));
      }
    });
  }
});

/** What callers of runc pass; its list of flags, each of which may also have one dash only. */
const callersFlags: Readonly<Record<string, string>> = {
  create: 'bundle console-socket pid-file no-pivot no-new-keyring preserve-fds',
  run: 'bundle console-socket detach keep pid-file no-subreaper no-pivot no-new-keyring preserve-fds',
  exec: 'console-socket cwd env tty user additional-gids process detach pid-file process-label apparmor no-new-privs cap preserve-fds cgroup ignore-paused',
  kill: 'all',
  delete: 'force',
  events: 'interval stats',
  list: 'format quiet',
  ps: 'format',
  spec: 'bundle rootless',
  update:
    'resources blkio-weight cpu-period cpu-quota cpu-share cpu-rt-period cpu-rt-runtime cpuset-cpus cpuset-mems memory memory-reservation memory-swap pids-limit l3-cache-schema mem-bw-schema',
  checkpoint:
    'image-path work-path parent-path leave-running tcp-established ext-unix-sk shell-job lazy-pages status-fd page-server file-locks pre-dump manage-cgroups-mode empty-ns auto-dedup',
  restore:
    'console-socket image-path work-path tcp-established ext-unix-sk shell-job file-locks manage-cgroups-mode bundle detach pid-file no-subreaper no-pivot empty-ns auto-dedup lazy-pages lsm-profile lsm-mount-context',
};

describe('flags', () => {
  for (const [name, flags] of Object.entries(callersFlags)) {
    it(`of ${name} are those that callers of runc know`, async () => {
      expect((await load(name)).flags).to.include.all.keys(flags.split(' '));
    });
  }

  for (const name of Object.keys(commands)) {
    it(`of ${name} may have one dash`, async () => {
      const { flags } = await load(name);
      const parse = (argv: string[]): unknown =>
        parseFlags(argv, flags, { program: 'tsrun', stopAtPositional: false });
      for (const [flag, table] of Object.entries(flags)) {
        const value = sampleOf(table);
        expect(parse([`-${flag}`, ...value]), flag).to.deep.equal(parse([`--${flag}`, ...value]));
      }
    });
  }
});
