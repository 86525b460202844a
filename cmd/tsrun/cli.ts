import { TsrunError, systemError } from '../../lib/core/error.ts';
import { errnoOf } from '../../lib/core/errno.ts';
import { nearestWord } from '../../lib/core/nearest-word.ts';
import { openLog } from './log/logger.ts';
import { type Command, completeArgument, globalFlags, type GlobalValues } from './command.ts';
import { commands, otherNames } from './command-table.ts';
import { print, printError } from './output.ts';
import { renderNotice } from './render.ts';
import { parseFlags } from './flags/parse.ts';

/** Runs one command line; resolves to the exit status. Nothing is thrown. */
export async function main(argv: readonly string[]): Promise<number> {
  let globals: GlobalValues | undefined;
  let name: string | undefined;
  try {
    if (argv[0] === completeArgument) return await complete(argv.slice(1));
    const parsed = parseFlags(argv, globalFlags, { program: 'tsrun', stopAtPositional: true });
    globals = parsed.flags;
    name = argv[parsed.rest];
    return await dispatch(name, argv.slice(parsed.rest + 1), globals);
  } catch (error) {
    return report(error, argv, name, globals);
  }
}

async function dispatch(
  name: string | undefined,
  argv: readonly string[],
  globals: GlobalValues,
): Promise<number> {
  if (globals.version) {
    print((await import('./version.ts')).versionText());
    return 0;
  }
  if (name === undefined || name === 'help') return await help(argv[0]);
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (entry === undefined) throw unknownCommand(name);
  if (globals.help) return await help(name);
  const { command } = await entry.load();
  if (asksForHelp(argv, command)) return await help(name);
  const program = `tsrun ${name}`;
  const { flags, args, rest } = parseFlags(argv, command.flags, {
    program,
    stopAtPositional: command.stopAtPositional ?? false,
  });
  const invocation = { flags, args: [...args, ...argv.slice(rest)], globals };
  checkPositionals(program, command, invocation.args);
  try {
    return await command.run(invocation);
  } catch (error) {
    const failure = failureOf(error);
    const { failureStatus } = command;
    // The status of a signal is the caller's to see.
    if (failureStatus === undefined || failure.code === 'interrupted') throw failure;
    throw failure.with({ exitCode: failureStatus });
  }
}

/** `-h` or `--help` among the flags; behind the first positional it may belong to somebody else. */
function asksForHelp(argv: readonly string[], command: Command): boolean {
  for (const argument of argv) {
    if (argument === '--') return false;
    if (argument === '--help' || argument === '-h' || argument === '-help') return true;
    if (!argument.startsWith('-') && command.stopAtPositional) return false;
  }
  return false;
}

function checkPositionals(program: string, command: Command, args: readonly string[]): void {
  const needed = command.positionals.filter((positional) => !positional.optional);
  const missing = needed[args.length];
  if (missing !== undefined) throw new TsrunError('usage', `${program}: ${missing.name} is missing`);
  const extra = args[command.positionals.length];
  if (extra !== undefined && !command.positionals.at(-1)?.rest) {
    throw new TsrunError('usage', `${program}: unexpected argument ${JSON.stringify(extra)}`);
  }
}

function unknownCommand(name: string): TsrunError {
  const meant = otherNames.get(name) ?? nearestWord(name, Object.keys(commands));
  return new TsrunError('usage', `tsrun: unknown command ${JSON.stringify(name)}`, {
    hint: meant === undefined ? '`tsrun --help` lists the commands' : `did you mean ${meant}?`,
  });
}

async function help(name: string | undefined): Promise<number> {
  const { commandHelp, overview } = await import('./help.ts');
  if (name === undefined) {
    print(`${await overview()}\n`);
    return 0;
  }
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (entry === undefined) throw unknownCommand(name);
  print(`${await commandHelp(name, entry.summary, (await entry.load()).command)}\n`);
  return 0;
}

async function complete(words: readonly string[]): Promise<number> {
  const { completions } = await import('./completion.ts');
  print((await completions(words, commands)).map((word) => `${word}\n`).join(''));
  return 0;
}

/**
 * Tells the user and the log of a failure. The log's record is the plain message, which engines read; a person
 * on stderr also gets the hint.
 */
function report(
  error: unknown,
  argv: readonly string[],
  name: string | undefined,
  globals: GlobalValues | undefined,
): number {
  const failure = failureOf(error);
  const where = prefixOf(failure, name);
  const message = `${where}${renderNotice(failure, argv)}`;
  const hint =
    failure.hint ?? (failure.code === 'usage' && name !== undefined ? `see tsrun ${name} --help` : undefined);
  if (globals?.log !== undefined || globals?.['log-format'] === 'json') {
    try {
      openLog({ file: globals.log, format: globals['log-format'], debug: globals.debug }).write(
        'error',
        message,
      );
    } catch (logError) {
      printError(`tsrun: ${logError instanceof Error ? logError.message : String(logError)}\n`);
    }
  }
  if (globals?.log !== undefined || globals?.['log-format'] !== 'json') {
    printError(
      `${message.startsWith('tsrun') ? '' : 'tsrun '}${message}\n${hint === undefined ? '' : `  hint: ${hint}\n`}`,
    );
  }
  return failure.exitCode;
}

/** What a message begins with; the parser's own messages name the command already. */
function prefixOf({ code, reason }: TsrunError, name: string | undefined): string {
  if (name === undefined) return reason.startsWith('tsrun') ? '' : 'tsrun: ';
  if (code !== 'usage') return `${name} failed: `;
  return reason.startsWith('tsrun') ? '' : `${name}: `;
}

function failureOf(error: unknown): TsrunError {
  return error instanceof TsrunError ? error : unforeseen(error);
}

/** What nobody has put in words: a system call that fails, which is the world's doing, or a bug of ours. */
function unforeseen(error: unknown): TsrunError {
  if (!(error instanceof Error)) return internalError(String(error));
  const errno = errnoOf(error);
  if (errno !== undefined) {
    const path = 'path' in error ? ` ${String(error.path)}` : '';
    const call = 'syscall' in error ? String(error.syscall) : 'a system call';
    return systemError(`${call}${path}`, errno, { cause: error });
  }
  return internalError(error.stack ?? error.message, error);
}

/** A bug of ours: the stack is for the report of it, in one line so that the log stays readable. */
function internalError(text: string, cause?: unknown): TsrunError {
  return new TsrunError('internal', `internal error: ${text.replaceAll(/\s*\n\s*/g, ' | ')}`, {
    hint: 'this is a bug in tsrun, please report it',
    cause,
  });
}
