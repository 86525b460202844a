import type { Config, Seccomp } from '../config/types.ts';

/** Actions after which a system call is made all the same (seccomp(2)). */
const allowing: ReadonlySet<string> = new Set([
  'SCMP_ACT_ALLOW',
  'SCMP_ACT_LOG',
  'SCMP_ACT_NOTIFY',
  'SCMP_ACT_TRACE',
]);

/** What the init calls (lib/plan/filter-admits.ts has what it calls in exec) on its way from a filter that is loaded early to execve(2). */
const afterEarlyLoad = [
  ...['setgroups', 'setresgid', 'setresuid', 'prctl', 'umask', 'capget', 'capset', 'close', 'newfstatat'],
  ...['faccessat2', 'sendmsg', 'recvmsg', 'read', 'write', 'accept4', 'mmap', 'close_range'],
];

const forHooks = [
  ...['pipe2', 'lseek', 'fcntl', 'clone', 'dup3', 'rt_sigprocmask', 'ppoll', 'read', 'wait4'],
  'pidfd_send_signal',
];

/**
 * The system calls among those the init makes under the filter that the profile does not allow it, as far as the
 * names tell: conditions on arguments are not looked at. Where the filter is loaded: placeFilter of
 * lib/plan/seccomp.ts.
 */
export function deniedToInit({ linux, process, hooks }: Config): string[] {
  const profile = linux?.seccomp;
  if (profile === undefined) return [];
  const hasHooks = (hooks?.startContainer ?? []).length > 0;
  const loadedLast = process?.noNewPrivileges === true && !hasHooks && !notifies(profile);
  const needed = ['execve', ...(loadedLast ? [] : afterEarlyLoad), ...(hasHooks ? forHooks : [])];
  return needed.filter((name) => !allowing.has(actionFor(profile, name)));
}

function notifies({ syscalls = [] }: Seccomp): boolean {
  return syscalls.some(({ action }) => action === 'SCMP_ACT_NOTIFY');
}

function actionFor({ defaultAction, syscalls = [] }: Seccomp, name: string): string {
  return syscalls.find(({ names }) => names.includes(name))?.action ?? defaultAction;
}
