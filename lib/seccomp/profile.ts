import { newListenerFlag } from '../plan/wire.ts';
import { errnos } from '../core/errno.ts';
import { TsrunError } from '../core/error.ts';
import type { Integer, Seccomp, SeccompRule } from '../config/types.ts';
import {
  actions,
  architectures,
  defaultErrno,
  filterFlags,
  maxInstructions,
  operators,
  syncThreadsFlag,
  waitKillableFlag,
} from './constants.ts';

/** A condition on one argument of a system call, as struct scmp_arg_cmp has it. */
export interface Condition {
  index: number;
  operator: number;
  value: bigint;
  valueTwo: bigint;
}

export interface FilterRule {
  syscall: string;
  action: number;
  /** All must hold. */
  conditions: Condition[];
  /** Where the rule stands in config.json. */
  pointer: string;
}

/** A seccomp profile in libseccomp's terms. */
export interface Filter {
  defaultAction: number;
  /** libseccomp's names, besides the native architecture, which every filter has. */
  architectures: string[];
  rules: FilterRule[];
  /** Flags of seccomp(2). */
  flags: number;
  notify: boolean;
  /** System calls newer than the profile fail with ENOSYS, so that programs fall back to older ones. */
  unknownIsEnosys: boolean;
}

const root = '/linux/seccomp';

/**
 * Turns a profile (config-linux.md#seccomp) into rules. System calls stay names: libseccomp knows which exist.
 * @throws TsrunError 'config' with the pointer of what is wrong, 'unsupported' for too many conditions
 */
export function filterOf(seccomp: Seccomp): Filter {
  const defaultAction = actionValue(seccomp.defaultAction, seccomp.defaultErrnoRet, root, {
    action: 'defaultAction',
    errno: 'defaultErrnoRet',
  });
  const rules = (seccomp.syscalls ?? []).flatMap((rule, i) => rulesOf(rule, `${root}/syscalls/${String(i)}`));
  refuseTooMany(rules);
  const notify = rules.some((rule) => rule.action === actions['SCMP_ACT_NOTIFY']?.value);
  const permissive = actions[seccomp.defaultAction]?.permissive === true;
  return {
    defaultAction,
    architectures: (seccomp.architectures ?? []).map((name, i) =>
      known(architectures, name, `${root}/architectures/${String(i)}`, 'architecture'),
    ),
    // libseccomp refuses a rule that does what happens anyway.
    rules: rules.filter((rule) => rule.action !== defaultAction),
    flags: kernelFlags(flagsOf(seccomp), notify),
    notify,
    unknownIsEnosys: !permissive && seccomp.defaultErrnoRet !== errnos.ENOSYS,
  };
}

/** Each condition becomes an instruction at least. libseccomp takes minutes before it refuses too many. */
function refuseTooMany(rules: readonly FilterRule[]): void {
  const count = rules.reduce((sum, { conditions }) => sum + conditions.length, 0);
  if (count <= maxInstructions) return;
  throw new TsrunError(
    'unsupported',
    `the profile has ${count} conditions on arguments, the kernel takes ${maxInstructions} instructions`,
    { pointer: `${root}/syscalls` },
  );
}

/** Without `flags` it is SPEC_ALLOW, as in runc and crun; `[]` means no flags. */
function flagsOf(seccomp: Seccomp): number {
  if (seccomp.flags === undefined) return known(filterFlags, 'SECCOMP_FILTER_FLAG_SPEC_ALLOW', root, 'flag');
  return seccomp.flags.reduce(
    (bits, name, i) => bits | known(filterFlags, name, `${root}/flags/${String(i)}`, 'flag'),
    0,
  );
}

/**
 * Without flags that the kernel refuses to combine and that have no effect here: the init has one thread to synchronise,
 * and without a listener there is nothing to wait for.
 */
function kernelFlags(flags: number, notify: boolean): number {
  return notify ? (flags & ~syncThreadsFlag) | newListenerFlag : flags & ~waitKillableFlag;
}

function rulesOf(rule: SeccompRule, pointer: string): FilterRule[] {
  const action = actionValue(rule.action, rule.errnoRet, pointer, { action: 'action', errno: 'errnoRet' });
  const conditions = (rule.args ?? []).map((argument, i): Condition => {
    if (argument.index > 5) {
      throw refused(
        `${pointer}/args/${String(i)}/index`,
        `${String(argument.index)} is no argument of a system call`,
        {
          hint: 'system calls have arguments 0 to 5',
        },
      );
    }
    return {
      index: argument.index,
      operator: known(operators, argument.op, `${pointer}/args/${String(i)}/op`, 'operator'),
      value: unsigned(argument.value),
      valueTwo: unsigned(argument.valueTwo ?? 0),
    };
  });
  return rule.names.flatMap((syscall) => {
    if (syscall === 'write' && rule.action === 'SCMP_ACT_NOTIFY') {
      throw refused(`${pointer}/action`, 'SCMP_ACT_NOTIFY cannot be used for the write syscall', {
        hint: 'the runtime itself must write to hand the listener over',
      });
    }
    return alternatives(conditions).map((some) => ({ syscall, action, conditions: some, pointer }));
  });
}

/**
 * libseccomp takes one condition for each argument, and all must hold. When a profile names an argument twice, any of
 * its conditions may hold: each becomes a rule.
 */
function alternatives(conditions: readonly Condition[]): Condition[][] {
  const repeated = conditions.some(
    (condition, i) => conditions.findIndex((other) => other.index === condition.index) < i,
  );
  return repeated ? conditions.map((condition) => [condition]) : [[...conditions]];
}

function actionValue(
  name: string,
  errnoRet: number | undefined,
  pointer: string,
  keys: { action: string; errno: string },
): number {
  const action = known(actions, name, `${pointer}/${keys.action}`, 'action');
  if (action.takesErrno !== true) {
    if (errnoRet === undefined) return action.value;
    throw refused(`${pointer}/${keys.errno}`, `${name} does not return an errno`, {
      hint: `remove ${keys.errno}, or use SCMP_ACT_ERRNO`,
    });
  }
  const errno = errnoRet ?? defaultErrno;
  if (errno > 0xffff) throw refused(`${pointer}/${keys.errno}`, 'an errno has at most 16 bits');
  return (action.value | errno) >>> 0;
}

function known<T>(table: Readonly<Record<string, T>>, name: string, pointer: string, what: string): T {
  const found = Object.hasOwn(table, name) ? table[name] : undefined;
  if (found !== undefined) return found;
  throw refused(pointer, `unknown seccomp ${what} ${JSON.stringify(name)}`, {
    hint: `known: ${Object.keys(table).join(', ')}`,
  });
}

function refused(pointer: string, message: string, details: { hint?: string } = {}): TsrunError {
  return new TsrunError('config', message, { ...details, pointer });
}

function unsigned(value: Integer): bigint {
  return BigInt.asUintN(64, BigInt(value));
}
