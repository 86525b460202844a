/**
 * The shape of a command and of its flags. Each command is one file that exports `command`; parsing, help and
 * completion are derived from these tables.
 */

export type FlagKind = 'boolean' | 'string' | 'strings' | 'integer';

export interface Flag {
  kind: FlagKind;
  /** One letter, without the dash. */
  short?: string;
  /** What stands for the value in help, e.g. `FILE`. */
  value?: string;
  choices?: readonly string[];
  help: string;
  /** Accepted, but not shown. */
  hidden?: boolean;
}

export type Flags = Readonly<Record<string, Flag>>;

interface KindValue {
  boolean: boolean;
  string: string;
  strings: string[];
  integer: number;
}

/** The values of a table of flags: booleans are always there, everything else only when given. */
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
  /** Takes all that is left; only as the last one. */
  rest?: boolean;
}

export interface Invocation<F extends Flags> {
  flags: FlagValues<F>;
  /** Positional arguments, as many as the command demands. */
  args: string[];
  globals: GlobalValues;
}

export interface Command<F extends Flags = Flags> {
  flags: F;
  positionals: readonly Positional[];
  /** Flags end at the first positional: what follows belongs to a process or to another program. */
  stopAtPositional?: boolean;
  /** Exit status when the command itself fails; 1 when absent. */
  failureStatus?: number;
  /** Examples for help, whole command lines. */
  examples?: readonly string[];
  /** Runs the command; resolves to the exit status. */
  run(invocation: Invocation<F>): Promise<number> | number;
}

/** Gives a command its precise types. */
export function defineCommand<const F extends Flags>(command: Command<F>): Command<F> {
  return command;
}

/** Flags in front of the command's name. */
export const globalFlags = {
  root: {
    kind: 'string',
    value: 'DIR',
    help: 'where containers are kept (default /run/tsrun, or $XDG_RUNTIME_DIR/tsrun)',
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
    help: 'least level that is logged',
    hidden: true,
  },
  debug: { kind: 'boolean', help: 'log what tsrun does' },
  'systemd-cgroup': {
    kind: 'boolean',
    help: 'the same as --cgroup-manager systemd',
  },
  'cgroup-manager': {
    kind: 'string',
    value: 'NAME',
    choices: ['cgroupfs', 'systemd', 'disabled'],
    help: 'cgroupfs (default), disabled, or systemd, which is refused: tsrun has no driver for it',
  },
  rootless: {
    kind: 'string',
    value: 'BOOL',
    choices: ['true', 'false', 'auto'],
    help: 'true, false or auto (default): act without root privileges',
  },
  version: { kind: 'boolean', short: 'v', help: 'print the version and stop' },
  help: { kind: 'boolean', short: 'h', help: 'print help and stop' },
} as const satisfies Flags;

export type GlobalValues = FlagValues<typeof globalFlags>;

/** The positional that nearly every command has. */
export const containerId = {
  name: 'container-id',
  help: 'the name of the container',
} as const satisfies Positional;
