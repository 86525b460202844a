import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Runtime } from './runtime.ts';

/** One call of a runtime by an engine, and how it was answered. */
export interface Call {
  args: string[];
  /** The call without global flags: `create`, `kill`, … or `--version`. */
  command: string;
  status: number;
  /** Empty for create, run, exec and restore, whose stdout is the container's. */
  stdout: string;
  /** What was given to `update --resources -`. */
  stdin: string;
  /** The pid file as written; undefined when none was. */
  pidFile: string | undefined;
  /** The containers in the runtime's state folder after the call. */
  containers: string[];
  /** Messages of level error added to the log, or written to stderr where there is no log file. */
  errors: string[];
}

// create, run, exec and restore hand their stdio to the container, so it is left alone. The other commands
// answer on stdout. A call's folder appears whole under its name when the call has ended.
const script = (calls: string, program: string): string => `#!/bin/sh
calls='${calls}'
work="$calls/.$(date +%s%N).$$"
mkdir "$work"
for arg in "$@"; do printf '%s\\0' "$arg"; done >"$work/args"
inherit= log= pidfile= previous= root= stdin=
for arg in "$@"; do
  case "$previous" in
    --log) log="$arg" ;;
    --root) root="$arg" ;;
    --pid-file) pidfile="$arg" ;;
    --resources | -r) [ "$arg" = - ] && stdin=yes ;;
  esac
  case "$arg" in
    create | run | exec | restore) inherit=yes ;;
    --resources=-) stdin=yes ;;
    --pid-file=*) pidfile="\${arg#*=}" ;;
    --log=*) log="\${arg#*=}" ;;
    --root=*) root="\${arg#*=}" ;;
  esac
  previous="$arg"
done
size=0
[ -n "$log" ] && [ -f "$log" ] && size=$(wc -c <"$log")
if [ -n "$inherit" ]; then
  '${program}' "$@"
  status=$?
elif [ -n "$stdin" ]; then
  cat >"$work/stdin"
  '${program}' "$@" <"$work/stdin" >"$work/stdout" 2>"$work/stderr"
  status=$?
else
  '${program}' "$@" >"$work/stdout" 2>"$work/stderr"
  status=$?
fi
[ -f "$work/stdout" ] && cat "$work/stdout"
[ -f "$work/stderr" ] && cat "$work/stderr" >&2
[ -n "$log" ] && [ -f "$log" ] && tail -c +$((size + 1)) "$log" >"$work/log"
[ -n "$pidfile" ] && [ -f "$pidfile" ] && cp "$pidfile" "$work/pid"
[ -n "$root" ] && [ -d "$root" ] && ls "$root" >"$work/containers"
echo $status >"$work/status"
mv "$work" "$calls/\${work##*/.}"
exit $status
`;

/** A runtime that writes down how it is called and what it answers. */
export class Recorder {
  readonly runtime: Runtime;
  readonly #calls: string;

  /** `folder` gets the wrapper program and the calls; its name shows in nothing an engine reads. */
  constructor(folder: string, real: Runtime) {
    this.#calls = join(folder, 'calls');
    mkdirSync(this.#calls, { recursive: true });
    const path = join(folder, real.name);
    writeFileSync(path, script(this.#calls, real.path), { mode: 0o755 });
    this.runtime = { name: real.name, path };
  }

  /** All calls that have ended, the first one first. */
  calls(): Call[] {
    return readdirSync(this.#calls)
      .filter((name) => !name.startsWith('.'))
      .sort()
      .map((name) => readCall(join(this.#calls, name)));
  }
}

function readCall(folder: string): Call {
  const read = (name: string): string | undefined =>
    existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8') : undefined;
  const args = (read('args') ?? '').split('\0').slice(0, -1);
  return {
    args,
    command: commandOf(args),
    status: Number(read('status')),
    stdout: read('stdout') ?? '',
    stdin: read('stdin') ?? '',
    pidFile: read('pid'),
    // A name with @ is a cache of tsrun's.
    containers: lines(read('containers') ?? '').filter((name) => !name.startsWith('@')),
    errors: [...logged(read('log') ?? ''), ...lines(read('stderr') ?? '')],
  };
}

/** Global flags that take a value as their next argument. */
const valued = ['--root', '--log', '--log-format', '--log-level', '--cgroup-manager', '--rootless'];

function commandOf(args: readonly string[]): string {
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? '';
    if (valued.includes(arg)) at++;
    else if (!arg.startsWith('-') || arg === '--version' || arg === '-v') return arg;
  }
  return '';
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** The errors of a log in JSON, one object a line, as engines ask for it. */
function logged(text: string): string[] {
  return lines(text).flatMap((line) => {
    const entry = JSON.parse(line) as { level?: string; msg?: string };
    return entry.level === 'error' ? [entry.msg ?? ''] : [];
  });
}
