import type { Config, Seccomp } from '../config/types.ts';
import { initSyscalls } from '../plan/init-syscalls.ts';

/** Actions after which a system call is made all the same (seccomp(2)). */
const allowing: ReadonlySet<string> = new Set([
  'SCMP_ACT_ALLOW',
  'SCMP_ACT_LOG',
  'SCMP_ACT_NOTIFY',
  'SCMP_ACT_TRACE',
]);

/**
 * The system calls among those the init makes under the filter that the profile does not allow it, as far as the
 * names tell: conditions on arguments are not looked at.
 */
export function deniedToInit({ linux, process: processSpec, hooks }: Config): string[] {
  const profile = linux?.seccomp;
  if (profile === undefined) return [];
  const hasHooks = (hooks?.startContainer ?? []).length > 0;
  const loadedLast = processSpec?.noNewPrivileges === true && !hasHooks && !notifies(profile);
  const { exec, always, optional, start, socket, privileges, hooks: forHooks } = initSyscalls;
  const needed = new Set<string>([
    ...exec,
    ...(loadedLast ? [] : [...privileges, ...always, ...optional, ...start, ...socket]),
    ...(hasHooks ? forHooks : []),
  ]);
  return [...needed].filter((name) => !allowing.has(actionFor(profile, name)));
}

function notifies({ syscalls = [] }: Seccomp): boolean {
  return syscalls.some(({ action }) => action === 'SCMP_ACT_NOTIFY');
}

function actionFor({ defaultAction, syscalls = [] }: Seccomp, name: string): string {
  return syscalls.find(({ names }) => names.includes(name))?.action ?? defaultAction;
}
