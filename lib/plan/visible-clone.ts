/**
 * Where process B is cloned when others live in its pid namespace: exec, and a pid namespace joined by path. Whoever
 * has CAP_SYS_PTRACE there can trace B from its first moment, so it comes last, with nothing of the host and with
 * the privileges of the container's process only, as far as the kernel allows.
 */
import { schedulerFlags, schedulerPolicies } from '../config/scheduling.ts';
import type { Draft } from './draft.ts';
import { admitsClone } from './filter-admits.ts';
import { startSession } from './terminal.ts';
import type { Plan } from './types.ts';
import { type Op, type OpOf, syncPoints } from './wire.ts';

/** Puts the clone before the first operation that only B can do. */
export function placeVisibleClone(draft: Draft, ops: readonly Op[]): Op[] {
  const at = ops.findIndex((op) => isForB(draft, op));
  return [
    ...ops.slice(0, at),
    { op: 'cloneVisible', origin: '' },
    ...startSession(draft),
    ...tellPid(draft),
    ...ops.slice(at),
  ];
}

/**
 * B has no socket: whoever traces it could ask the kernel which process holds the other end (SO_PEERPIDFD), and that is
 * the engine, with descriptors of the host. Where tsrun has no power over the host, nobody in its user namespace can
 * trace B, and without a socket the engine could not get a seccomp listener from it.
 */
export function speakThroughPipes(draft: Draft): Op[] {
  return draft.visible && speaksThroughPipes(draft) ? [{ op: 'usePipes', origin: '' }] : [];
}

function speaksThroughPipes({ inUserNamespace, facts }: Draft): boolean {
  return facts.privileged || !inUserNamespace;
}

/** Hooks that run after the clone read its pid in their state. */
function tellPid({ config }: Draft): Op[] {
  if ((config.hooks?.startContainer ?? []).length === 0) return [];
  return [{ op: 'sync', origin: '', point: syncPoints.entered }];
}

function isForB(draft: Draft, op: Op): boolean {
  switch (op.op) {
    case 'waitStart':
      return true;
    case 'sync':
      return op.point === syncPoints.ready;
    case 'scheduler':
      return !survivesFork(op);
    case 'seccomp':
      return !loadsBeforeClone(draft);
    default:
      return false;
  }
}

/** A process with a deadline cannot fork, and one that is to be reset would be (sched(7)). */
function survivesFork({ policy, flags }: OpOf<'scheduler'>): boolean {
  const reset = schedulerFlags.get('SCHED_FLAG_RESET_ON_FORK') ?? 0;
  return policy !== schedulerPolicies.get('SCHED_DEADLINE') && (Number(flags) & reset) === 0;
}

/**
 * Whether the filter can be loaded before B exists. One that denies clone(2), or another call on the way, is loaded
 * by B. So is one that notifies: its agent is told of B.
 */
export function loadsBeforeClone(draft: Draft): boolean {
  const { visible, config, options } = draft;
  const { seccomp, gate } = options;
  if (!visible || seccomp === undefined || seccomp.notify) return false;
  const { process: processSpec } = config;
  return admitsClone(seccomp.program, {
    start: gate === 'start',
    terminal: processSpec?.terminal === true,
    limits: (processSpec?.rlimits ?? []).length > 0,
    socket: !speaksThroughPipes(draft),
  });
}

/**
 * Whether B is cloned before it has given up its capabilities or loaded its filter. Then no process of its pid namespace
 * may be able to trace it.
 */
export function isPrivilegedInSight({ ops }: Pick<Plan, 'ops'>): boolean {
  const clone = ops.findIndex(({ op }) => op === 'cloneVisible');
  return clone >= 0 && ops.slice(clone).some(({ op }) => op === 'capabilities' || op === 'seccomp');
}
