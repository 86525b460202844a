import type { Linux, NamespaceType } from './types.ts';

/**
 * The path below /proc/sys that a sysctl name means (sysctl(8)): `net.ipv4.ip_forward` is
 * `net/ipv4/ip_forward`. Whichever of `.` and `/` comes first is the separator, and the other one stands
 * for it in a name: `net/ipv4/conf/eth0.1/rp_filter` and `net.ipv4.conf.eth0/1.rp_filter` are the same.
 */
export function sysctlPath(name: string): string {
  if (/^[^./]*\//.test(name)) return name;
  return name.replace(/[./]/g, (c) => (c === '.' ? '/' : '.'));
}

/** True for a relative path of ordinary parts: it is opened below /proc/sys. */
export function isSysctlPath(path: string): boolean {
  return path.split('/').every((part) => /^[!-~]+$/.test(part) && part !== '.' && part !== '..');
}

/** The System V IPC parameters that belong to an IPC namespace (ipc_namespaces(7)). */
const ipcParameters: ReadonlySet<string> = new Set([
  'kernel/msgmax',
  'kernel/msgmnb',
  'kernel/msgmni',
  'kernel/sem',
  'kernel/shmall',
  'kernel/shmmax',
  'kernel/shmmni',
  'kernel/shm_rmid_forced',
]);

/** The namespace a parameter belongs to, by its path; undefined for one of the whole host. */
export function sysctlNamespace(path: string): NamespaceType | undefined {
  if (ipcParameters.has(path) || path.startsWith('fs/mqueue/')) return 'ipc';
  if (path.startsWith('net/')) return 'network';
  if (path === 'kernel/hostname' || path === 'kernel/domainname') return 'uts';
  if (path.startsWith('user/')) return 'user';
  return undefined;
}

/** The first parameter the config sets in a namespace of this type, as it names it. */
export function sysctlIn(linux: Linux | undefined, type: NamespaceType): string | undefined {
  return Object.keys(linux?.sysctl ?? {}).find((name) => sysctlNamespace(sysctlPath(name)) === type);
}
