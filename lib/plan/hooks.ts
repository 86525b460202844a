/** Hooks that run in the container's namespaces (config.md, "POSIX-platform Hooks"). */
import type { Hook } from '../config/types.ts';
import type { Draft } from './draft.ts';
import { hookFlags, type Op, type OpOf, slots, syncPoints } from './wire.ts';

/** True when the engine must run prestart or createRuntime hooks while the init waits. */
function engineHasHooks({ config: { hooks } }: Draft): boolean {
  return (hooks?.prestart ?? []).length > 0 || (hooks?.createRuntime ?? []).length > 0;
}

/** Before pivot_root, while the host's files and the container's mounts are both there: the engine's, then ours. */
export function hooksBeforePivot(draft: Draft): Op[] {
  const ops: Op[] = [];
  if (engineHasHooks(draft)) ops.push({ op: 'sync', origin: '/hooks', point: syncPoints.hooks });
  // No environment but the hook's own: with the container's, the image would choose LD_PRELOAD for a program of
  // the host.
  const context = ({ env = [] }: Hook): HookContext => ({ env, flags: hookFlags.atRootfs });
  return [...ops, ...hookOps(draft, 'createContainer', slots.stateCreating, context)];
}

/** Just before execve, in the container. The environment of a hook that has none is that of the process. */
export function hooksBeforeExec(draft: Draft, env: readonly string[]): Op[] {
  const context = (hook: Hook): HookContext =>
    hook.env === undefined || hook.env.length === 0
      ? { env, flags: hookFlags.home }
      : { env: hook.env, flags: 0 };
  return hookOps(draft, 'startContainer', slots.stateCreated, context);
}

/** What depends on the kind of a hook. */
type HookContext = Pick<OpOf<'hook'>, 'env' | 'flags'>;

function hookOps(
  draft: Draft,
  kind: 'createContainer' | 'startContainer',
  stateSlot: number,
  contextOf: (hook: Hook) => HookContext,
): Op[] {
  return (draft.config.hooks?.[kind] ?? []).map((hook, index) => {
    const origin = `/hooks/${kind}/${index}`;
    return {
      op: 'hook',
      origin,
      path: hook.path,
      args: hook.args === undefined || hook.args.length === 0 ? [hook.path] : hook.args,
      ...contextOf(hook),
      timeoutMs: 1000 * (hook.timeout ?? 0),
      stateSlot,
    };
  });
}
