/** Names of config-linux.md#seccomp and their values for libseccomp (seccomp.h) and the kernel (linux/seccomp.h). */

interface Action {
  value: number;
  /** The action carries an errno (or a ptrace message) in its low 16 bits. */
  takesErrno?: true;
  /** As the default, it lets unknown system calls happen: they need no ENOSYS. */
  permissive?: true;
}

export const actions: Readonly<Record<string, Action>> = {
  SCMP_ACT_KILL: { value: 0x00000000 },
  SCMP_ACT_KILL_THREAD: { value: 0x00000000 },
  SCMP_ACT_KILL_PROCESS: { value: 0x80000000 },
  SCMP_ACT_TRAP: { value: 0x00030000 },
  SCMP_ACT_ERRNO: { value: 0x00050000, takesErrno: true },
  SCMP_ACT_NOTIFY: { value: 0x7fc00000 },
  SCMP_ACT_TRACE: { value: 0x7ff00000, takesErrno: true, permissive: true },
  SCMP_ACT_LOG: { value: 0x7ffc0000, permissive: true },
  SCMP_ACT_ALLOW: { value: 0x7fff0000, permissive: true },
};

/** enum scmp_compare. */
export const operators: Readonly<Record<string, number>> = {
  SCMP_CMP_NE: 1,
  SCMP_CMP_LT: 2,
  SCMP_CMP_LE: 3,
  SCMP_CMP_EQ: 4,
  SCMP_CMP_GE: 5,
  SCMP_CMP_GT: 6,
  SCMP_CMP_MASKED_EQ: 7,
};

/** Architectures of the specification, with the names seccomp_arch_resolve_name(3) knows. */
export const architectures: Readonly<Record<string, string>> = Object.fromEntries(
  [
    'x86',
    'x86_64',
    'x32',
    'arm',
    'aarch64',
    'mips',
    'mips64',
    'mips64n32',
    'mipsel',
    'mipsel64',
    'mipsel64n32',
    'ppc',
    'ppc64',
    'ppc64le',
    's390',
    's390x',
    'parisc',
    'parisc64',
    'riscv64',
    'loongarch64',
    'm68k',
    'sh',
    'sheb',
  ].map((name) => [`SCMP_ARCH_${name.toUpperCase()}`, name]),
);

export const syncThreadsFlag = 1 << 0;
export const waitKillableFlag = 1 << 5;

/** Flags of the specification, as seccomp(2) takes them. */
export const filterFlags: Readonly<Record<string, number>> = {
  SECCOMP_FILTER_FLAG_TSYNC: syncThreadsFlag,
  SECCOMP_FILTER_FLAG_LOG: 1 << 1,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 1 << 2,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: waitKillableFlag,
};

export const defaultErrno = 1; // EPERM

/** BPF_MAXINSNS: the longest program seccomp(2) takes. */
export const maxInstructions = 4096;
