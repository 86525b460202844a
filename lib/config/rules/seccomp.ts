import { seccompReceiverAnnotation } from '../annotations.ts';
import { error, type Report, warning } from '../../core/finding.ts';
import { pointerTo } from '../../core/pointer.ts';
import type { Config, Seccomp } from '../types.ts';

/** config-linux.md, "Seccomp". */
export function seccomp({ linux, annotations }: Config, report: Report): void {
  const seccomp = linux?.seccomp;
  if (seccomp === undefined) return;
  errnos(seccomp, report);
  notify(seccomp, annotations ?? {}, report);
  killableWait(seccomp, report);
  const { listenerPath = '', listenerMetadata = '' } = seccomp;
  if (listenerMetadata !== '' && listenerPath === '') {
    report(error('/linux/seccomp/listenerMetadata', 'needs listenerPath'));
  }
}

/** The largest value the action's 16 bits of data may carry: an errno of the kernel, or anything. */
const maxErrno: ReadonlyMap<string, number> = new Map([
  ['SCMP_ACT_ERRNO', 4095],
  ['SCMP_ACT_TRACE', 65535],
]);

function errnos({ defaultAction, defaultErrnoRet, syscalls }: Seccomp, report: Report): void {
  errno('/linux/seccomp/defaultErrnoRet', defaultAction, defaultErrnoRet, report);
  for (const [i, { action, errnoRet }] of (syscalls ?? []).entries()) {
    errno(pointerTo('/linux/seccomp/syscalls', i, 'errnoRet'), action, errnoRet, report);
  }
}

function errno(pointer: string, action: string, value: number | undefined, report: Report): void {
  if (value === undefined) return;
  const max = maxErrno.get(action);
  if (max === undefined) report(error(pointer, `the action ${action} has no errno`));
  else if (value > max) report(error(pointer, `must not be above ${max}`));
}

/** The agent must be there before it is asked: asking it whether it may be told would wait forever. */
function notify(
  { defaultAction, syscalls, listenerPath = '' }: Seccomp,
  annotations: Record<string, string>,
  report: Report,
): void {
  const action = 'SCMP_ACT_NOTIFY';
  if (defaultAction === action) {
    report(error('/linux/seccomp/defaultAction', 'an agent cannot decide every system call'));
  }
  for (const [i, rule] of (syscalls ?? []).entries()) {
    if (rule.action !== action) continue;
    const pointer = pointerTo('/linux/seccomp/syscalls', i);
    if (listenerPath === '' && !Object.hasOwn(annotations, seccompReceiverAnnotation)) {
      report(error(`${pointer}/action`, 'needs listenerPath'));
    }
    const write = rule.names.indexOf('write');
    if (write >= 0)
      report(error(pointerTo(pointer, 'names', write), `${action} cannot be used for write(2)`));
  }
}

/** seccomp(2) has this flag for filters with a listener only. */
function killableWait({ flags, syscalls }: Seccomp, report: Report): void {
  const flag = flags?.indexOf('SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV') ?? -1;
  if (flag < 0 || (syscalls ?? []).some(({ action }) => action === 'SCMP_ACT_NOTIFY')) return;
  report(warning(pointerTo('/linux/seccomp/flags', flag), 'has no effect without SCMP_ACT_NOTIFY'));
}
