import type { Finding } from '../finding.ts';
import { error } from '../finding.ts';
import { pointerTo } from '../pointer.ts';
import type { Config, Seccomp } from '../types.ts';

/** config-linux.md, "Seccomp". */
export function* seccomp({ linux, annotations }: Config): Iterable<Finding> {
  const seccomp = linux?.seccomp;
  if (seccomp === undefined) return;
  yield* errnos(seccomp);
  yield* notify(seccomp, annotations ?? {});
  const { listenerPath = '', listenerMetadata = '' } = seccomp;
  if (listenerMetadata !== '' && listenerPath === '') {
    yield error('/linux/seccomp/listenerMetadata', 'needs listenerPath');
  }
}

/** The largest value the action's 16 bits of data may carry: an errno of the kernel, or anything. */
const maxErrno: ReadonlyMap<string, number> = new Map([
  ['SCMP_ACT_ERRNO', 4095],
  ['SCMP_ACT_TRACE', 65535],
]);

function* errnos({ defaultAction, defaultErrnoRet, syscalls }: Seccomp): Iterable<Finding> {
  yield* errno('/linux/seccomp/defaultErrnoRet', defaultAction, defaultErrnoRet);
  for (const [i, { action, errnoRet }] of (syscalls ?? []).entries()) {
    yield* errno(pointerTo('/linux/seccomp/syscalls', i, 'errnoRet'), action, errnoRet);
  }
}

function* errno(pointer: string, action: string, value: number | undefined): Iterable<Finding> {
  if (value === undefined) return;
  const max = maxErrno.get(action);
  if (max === undefined) yield error(pointer, `the action ${action} has no errno`);
  else if (value > max) yield error(pointer, `must not be above ${max}`);
}

/** crun's way to name the agent. */
const receiverAnnotation = 'run.oci.seccomp.receiver';

/** The agent must be there before it is asked: asking it whether it may be told would wait forever. */
function* notify(
  { defaultAction, syscalls, listenerPath = '' }: Seccomp,
  annotations: Record<string, string>,
): Iterable<Finding> {
  const action = 'SCMP_ACT_NOTIFY';
  if (defaultAction === action) {
    yield error('/linux/seccomp/defaultAction', 'an agent cannot decide every system call');
  }
  for (const [i, rule] of (syscalls ?? []).entries()) {
    if (rule.action !== action) continue;
    const pointer = pointerTo('/linux/seccomp/syscalls', i);
    if (listenerPath === '' && !Object.hasOwn(annotations, receiverAnnotation)) {
      yield error(`${pointer}/action`, 'needs listenerPath');
    }
    const write = rule.names.indexOf('write');
    if (write >= 0) yield error(pointerTo(pointer, 'names', write), `${action} cannot be used for write(2)`);
  }
}
