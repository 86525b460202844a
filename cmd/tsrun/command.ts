/**
 * The types of commands and flags. Each file of commands/ exports one `command`; parsing, help and completion are
 * derived from it.
 */

export type FlagKind = 'boolean' | 'string' | 'strings' | 'integer';

export interface Flag {
  kind: FlagKind;
  /** One letter, without the dash. */
  short?: string;
  /** The placeholder of the value in help, such as `FILE`. */
  value?: string;
  choices?: readonly string[];
  help: string;
  /** Accepted, but shown neither in help nor in completion. */
  hidden?: boolean;
}

export type Flags = Readonly<Record<string, Flag>>;

interface KindValue {
  boolean: boolean;
  string: string;
  strings: string[];
  integer: number;
}

/** The values of a table of flags. Booleans and lists are always present, others only when given. */
export type FlagValues<F extends Flags> = {
  -readonly [N in keyof F]: F[N]['kind'] extends 'boolean'
    ? boolean
    : F[N]['kind'] extends 'strings'
      ? string[]
      : KindValue[F[N]['kind']] | undefined;
};

export interface Positional {
  name: string;
  help: string;
  optional?: boolean;
  /** Takes all remaining arguments; only the last positional may. */
  rest?: boolean;
}

export interface Invocation<F extends Flags> {
  flags: FlagValues<F>;
  /** Positional arguments; those that are not optional are present. */
  args: string[];
  globals: GlobalValues;
}

export interface Command<F extends Flags = Flags> {
  flags: F;
  positionals: readonly Positional[];
  /** Flags end at the first positional: what follows is the command line of another program. */
  stopAtPositional?: boolean;
  /** The exit status when tsrun fails; 1 when absent. */
  failureStatus?: number;
  /** Command lines for help. */
  examples?: readonly string[];
  /** Runs the command; resolves to the exit status. */
  run(invocation: Invocation<F>): Promise<number> | number;
}

/** Infers the types of the flags, so that `run` sees them. */
export function defineCommand<const F extends Flags>(command: Command<F>): Command<F> {
  return command;
}

/** A command before it is loaded. */
export interface CommandEntry {
  /** One line for the overview. */
  summary: string;
  /** Loads the module of the command. */
  load: () => Promise<{ command: Command }>;
}

/** Commands by name, in the order of help. */
export type CommandTable = Readonly<Record<string, CommandEntry>>;

/** The hidden first argument with which the completion scripts ask tsrun for candidates. */
export const completeArgument = '--complete-words';

/** Flags before the name of the command. */
export const globalFlags = {
  root: {
    kind: 'string',
    value: 'DIR',
    help: 'directory for the state of containers (default /run/tsrun, or $XDG_RUNTIME_DIR/tsrun)',
  },
  log: { kind: 'string', value: 'FILE', help: 'write the log to FILE instead of stderr' },
  'log-format': {
    kind: 'string',
    value: 'FORMAT',
    choices: ['text', 'json'],
    help: 'text (default) or json',
  },
  'log-level': {
    kind: 'string',
    value: 'LEVEL',
    choices: ['error', 'warning', 'warn', 'info', 'debug'],
    help: 'lowest level that is logged',
    hidden: true,
  },
  debug: { kind: 'boolean', help: 'log at level debug' },
  'systemd-cgroup': {
    kind: 'boolean',
    help: "same as --cgroup-manager systemd (runc's name for it)",
  },
  'cgroup-manager': {
    kind: 'string',
    value: 'NAME',
    choices: ['cgroupfs', 'systemd', 'disabled'],
    help: 'cgroupfs (default) or disabled; systemd is refused, since tsrun has no driver for it',
  },
  rootless: {
    kind: 'string',
    value: 'BOOL',
    choices: ['true', 'false', 'auto'],
    help: 'act without root privileges: true, false or auto (default)',
  },
  version: { kind: 'boolean', short: 'v', help: 'print the version' },
  help: { kind: 'boolean', short: 'h', help: 'print help' },
} as const satisfies Flags;

export type GlobalValues = FlagValues<typeof globalFlags>;
