import { closeSync, statSync } from 'node:fs';
import { TsrunError } from '../core/error.ts';
import { sealedMemfd } from '../native/memfd.ts';
import { launcherNotes } from '../host/launcher-notes.ts';
import { shortenValue, shortenMessage } from '../core/message-text.ts';
import type { Hook, HookKind, State } from '../config/types.ts';
import { refuseEndSignal } from '../engine/held-signals.ts';
import type { ContainerRecord } from '../state/record.ts';
import { hookState } from './hook-state.ts';
import { type ProgramResult, runProgram } from '../engine/run-program.ts';

export interface HookContext {
  /** The hooks read it on stdin. */
  state: State;
  /** Environment of a hook without `env`, as `NAME=value`. */
  env: readonly string[];
  /** pidfd of the container's process. A hook that runs when the process ends is killed. */
  init?: number | undefined;
  /** A SIGTERM and the like to tsrun ends the hook, where such signals are kept (withHeldSignals). */
  untilSignal?: boolean | undefined;
}

/**
 * Runs hooks of one kind in the runtime's namespaces, in order (config.md, "POSIX-platform Hooks").
 *
 * @throws TsrunError 'hook' with the pointer of the first hook that fails; the later ones are not run
 */
export function runHooks(kind: HookKind, hooks: readonly Hook[] | undefined, context: HookContext): void {
  hooks?.forEach((hook, index) => {
    runHook(kind, index, hook, context);
  });
}

/** Runs all hooks of one kind, also after one has failed. Returns the failures. */
export function runAllHooks(
  kind: HookKind,
  hooks: readonly Hook[] | undefined,
  context: HookContext,
): TsrunError[] {
  const failures: TsrunError[] = [];
  hooks?.forEach((hook, index) => {
    try {
      runHook(kind, index, hook, context);
    } catch (error) {
      if (!(error instanceof TsrunError)) throw error;
      failures.push(error);
    }
  });
  return failures;
}

/**
 * Runs the poststop hooks, which are due for every container that had a process, also when `create` failed later
 * (runtime.md, "Lifecycle"). Returns the failures, which are warnings.
 */
export function runPoststopHooks(record: ContainerRecord): TsrunError[] {
  if (record.init === undefined) return [];
  const context = { state: hookState(record, 'stopped'), env: ownEnvironment() };
  return runAllHooks('poststop', record.hooks?.poststop, context);
}

/** The environment that tsrun was started with, as `NAME=value`. */
export function ownEnvironment(): string[] {
  // Without the variables of the launcher, and with those that it has hidden from the engine.
  const { hidden } = launcherNotes();
  return [...Object.entries(process.env).map(([name, value]) => `${name}=${value ?? ''}`), ...hidden];
}

function runHook(kind: HookKind, index: number, hook: Hook, context: HookContext): void {
  const pointer = `/hooks/${kind}/${index}`;
  const fail = (why: string, cause?: unknown): TsrunError =>
    new TsrunError('hook', `error running ${kind} hook #${index}: ${why}`, { pointer, cause });
  let result: ProgramResult;
  // One memfd a hook: a shared one would be read to its end by the first hook.
  const stdin = sealedMemfd('state', Buffer.from(JSON.stringify(context.state)));
  try {
    result = runProgram({
      path: hook.path,
      args: hook.args === undefined || hook.args.length === 0 ? [hook.path] : hook.args,
      env: hook.env ?? context.env,
      stdin,
      cwd: existingDirectory(context.state.bundle),
      timeoutMs: hook.timeout === undefined ? undefined : hook.timeout * 1000,
      whileAlive: context.init,
      untilSignal: context.untilSignal,
    });
  } catch (error) {
    if (error instanceof TsrunError) throw fail(shortenMessage(error.message, [hook.path]), error);
    throw error;
  } finally {
    closeSync(stdin);
  }
  if (result.killed === 'signal') refuseEndSignal();
  const reason = failureOf({ ...hook, path: shortenValue(hook.path) }, result);
  if (reason !== undefined) throw fail(reason);
}

function failureOf(hook: Hook, result: ProgramResult): string | undefined {
  if (result.killed === 'timeout') {
    return `${hook.path}: hook ran past specified timeout of ${(hook.timeout ?? 0).toFixed(1)}s`;
  }
  if (result.killed === 'unneeded') return `${hook.path}: killed, because the container has ended meanwhile`;
  if (result.status === 0) return undefined;
  return `${hook.path}: exit status ${result.status}, stdout: ${result.stdout}, stderr: ${result.stderr}`;
}

/** `/` when the bundle has been removed, which is possible before poststop hooks run. */
function existingDirectory(bundle: string): string {
  return statSync(bundle, { throwIfNoEntry: false })?.isDirectory() === true ? bundle : '/';
}
