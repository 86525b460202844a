import { readFileSync, readlinkSync } from 'node:fs';
import { release } from 'node:os';
import { TsrunError } from '../core/error.ts';
import { type CgroupLayout, readCgroupLayout } from './cgroup-layout.ts';

/** What the compiler of plans must know of the host. */
export interface HostFacts {
  /** The kernel's version. */
  kernel: { major: number; minor: number };
  /** euid and egid of tsrun. */
  uid: number;
  gid: number;
  /** True when tsrun may act as root over the host's user namespace (CAP_SYS_ADMIN in the initial one). */
  privileged: boolean;
  /** tsrun is not root of the host, but another user or root of a user namespace. */
  rootless: boolean;
  /** True in a user namespace that denies setgroups(2): /proc/self/setgroups says `deny`. */
  setgroupsDenied?: boolean;
  /** Filesystems of /proc/filesystems. */
  filesystems: ReadonlySet<string>;
  /** AppArmor is enabled. */
  apparmor?: boolean;
  cgroup: CgroupLayout;
}

/** The user namespace the kernel starts with (PROC_USER_INIT_INO of its proc_ns.h). */
const initialUserNamespace = 'user:[4026531837]';

const capSysAdmin = 21n;

/** The facts of this host. The last three are read when they are first asked for. */
export function readHostFacts(): HostFacts {
  let filesystems: ReadonlySet<string> | undefined;
  let cgroup: HostFacts['cgroup'] | undefined;
  let apparmor: boolean | undefined;
  const uid = process.geteuid?.() ?? 0;
  const privileged = isPrivileged();
  return {
    kernel: parseKernelVersion(release()),
    uid,
    gid: process.getegid?.() ?? 0,
    privileged,
    rootless: !privileged && !(uid === 0 && isInitialUserNamespace()),
    get filesystems() {
      filesystems ??= parseFilesystems(readFileSync('/proc/filesystems', 'utf8'));
      return filesystems;
    },
    get apparmor() {
      apparmor ??= isApparmorEnabled();
      return apparmor;
    },
    get cgroup() {
      cgroup ??= readCgroupLayout();
      return cgroup;
    },
  };
}

/** The kernel may have AppArmor without using it (apparmor(7)). */
function isApparmorEnabled(): boolean {
  try {
    return readFileSync('/sys/module/apparmor/parameters/enabled', 'latin1').startsWith('Y');
  } catch {
    return false;
  }
}

/** `6.1.0-18-amd64` → 6, 1. */
export function parseKernelVersion(text: string): { major: number; minor: number } {
  const [, major, minor] = /^([0-9]+)\.([0-9]+)/.exec(text) ?? [];
  if (major === undefined || minor === undefined) {
    throw new TsrunError('unsupported', `kernel version ${JSON.stringify(text)} is not understood`);
  }
  return { major: Number(major), minor: Number(minor) };
}

/** The names of /proc/filesystems (proc_filesystems(5)). */
export function parseFilesystems(text: string): ReadonlySet<string> {
  const names = text.split('\n').map((line) => line.slice(line.indexOf('\t') + 1));
  return new Set(names.filter((name) => name !== ''));
}

/** True when /proc/<pid>/status shows CAP_SYS_ADMIN as effective. */
export function hasSysAdmin(status: string): boolean {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  return mask !== undefined && ((BigInt(`0x${mask}`) >> capSysAdmin) & 1n) === 1n;
}

/** Root of a user namespace has all capabilities there, but none over the host. */
function isPrivileged(): boolean {
  return isInitialUserNamespace() && hasSysAdmin(readFileSync('/proc/self/status', 'utf8'));
}

function isInitialUserNamespace(): boolean {
  return readlinkSync('/proc/self/ns/user') === initialUserNamespace;
}
