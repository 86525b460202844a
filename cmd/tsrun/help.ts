import yargs, { type Argv, type Options } from 'yargs';
import { commands } from './command-table.ts';
import { type Command, type Flag, type Flags, globalFlags, type Positional } from './command.ts';

/**
 * Help texts, laid out by yargs from the tables that the parser reads. Loaded only when a user asks for help.
 */

/** Help of the whole program. */
export async function overview(): Promise<string> {
  const parser = base().usage('tsrun [global flags] COMMAND [flags] [arguments]\n\nRuns OCI containers.');
  for (const [name, { summary }] of Object.entries(commands)) parser.command(name, summary);
  addFlags(parser, globalFlags);
  return parser.epilogue('`tsrun COMMAND --help` shows the flags of a command.').getHelp();
}

/** Help of one command. */
export async function commandHelp(name: string, summary: string, command: Command): Promise<string> {
  const hasFlags = Object.values(command.flags).some((flag) => !flag.hidden);
  const words = [
    'tsrun',
    name,
    ...(hasFlags ? ['[flags]'] : []),
    ...command.positionals.map(positionalUsage),
  ];
  const parser = base().usage(`${words.join(' ')}\n\n${summary}`);
  addFlags(parser, command.flags);
  for (const positional of command.positionals)
    parser.positional(positional.name, { describe: positional.help, type: 'string' });
  for (const example of command.examples ?? []) parser.example(example, '');
  return parser.getHelp();
}

function base(): Argv {
  return yargs([])
    .scriptName('tsrun')
    .wrap(Math.min(110, process.stdout.columns || 110))
    .version(false)
    .help(false)
    .exitProcess(false);
}

function positionalUsage(positional: Positional): string {
  const word = positional.rest ? `${positional.name}...` : positional.name;
  return positional.optional ? `[${word}]` : `<${word}>`;
}

function addFlags(parser: Argv, flags: Flags): void {
  for (const [name, flag] of Object.entries(flags)) {
    if (!flag.hidden) parser.option(name, yargsOption(flag));
  }
}

function yargsOption(flag: Flag): Options {
  return {
    describe: flag.value === undefined ? flag.help : `${flag.value}: ${flag.help}`,
    type: flag.kind === 'boolean' ? 'boolean' : flag.kind === 'integer' ? 'number' : 'string',
    ...(flag.short === undefined ? {} : { alias: flag.short }),
    ...(flag.choices === undefined ? {} : { choices: flag.choices }),
  };
}
