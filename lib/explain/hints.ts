/** What a user can do about a failure of the init, where that is known. */
import { schedulerPolicies } from '../config/scheduling.ts';
import type { HostFacts } from '../host/facts.ts';
import type { FaultName, Op, OpName } from '../plan/wire.ts';

type Facts = Pick<HostFacts, 'kernel' | 'privileged'> | undefined;
type Hint = (op: Op, errno: string, fault: FaultName, facts: Facts) => string | undefined;

/** The first Linux that has what the operation needs. */
const kernelNeeds: Partial<Record<OpName, string>> = {
  timeNamespace: '5.6',
  clone: '5.7',
  cloneIntoCgroup: '5.7',
  idmapTree: '5.12',
};
/** The first Linux that has mount_setattr(2), which idmapped mounts and some attributes need. */
const kernelNeedsOfFault: Partial<Record<FaultName, string>> = { idmap: '5.12', attribute: '5.12' };
const baseline = '5.10';

/** One sentence, or nothing. `errno` by name. */
export function hintFor(op: Op, errno: string, fault: FaultName, facts: Facts): string | undefined {
  if (errno === 'ENOSYS' && op.op === 'memoryPolicy') return 'the kernel is built without NUMA (CONFIG_NUMA)';
  // Every kernel has execve(2); a filter, which is loaded before it, can answer that it has not.
  if (errno === 'ENOSYS' && op.op === 'exec') return execveHint;
  if (errno === 'ENOSYS' && op.op === 'hook') return 'the seccomp profile of the container may forbid it';
  if (errno === 'ENOSYS') return kernelHint(op, fault, facts);
  return hints[op.op]?.(op, errno, fault, facts) ?? resourceHints[errno];
}

function kernelHint(op: Op, fault: FaultName, facts: Facts): string {
  const needed = kernelNeedsOfFault[fault] ?? kernelNeeds[op.op] ?? baseline;
  const found = facts === undefined ? '' : `, this host runs ${facts.kernel.major}.${facts.kernel.minor}`;
  return `this needs Linux ${needed} or later${found}; inside another container its seccomp profile may forbid it`;
}

const resourceHints: Readonly<Record<string, string>> = {
  ENOMEM: 'the memory limit of the container may be too low, or the host is out of memory',
  EMFILE: 'raise the limit of open files (ulimit -n)',
  ENFILE: 'the host has too many open files (fs.file-max)',
};

/** By errno, for one operation. */
function byErrno(table: Readonly<Record<string, string>>): Hint {
  return (_, errno) => table[errno];
}

const execveHint = 'the seccomp profile of the container must allow execve(2)';
const hardLimitHint = 'a hard limit above the current one needs CAP_SYS_RESOURCE on the host';

const hints: Partial<Record<OpName, Hint>> = {
  oomScoreAdj: byErrno({
    EACCES: 'a value below the current one needs CAP_SYS_RESOURCE',
    EPERM: 'a value below the current one needs CAP_SYS_RESOURCE',
  }),
  openNamespace: byErrno({
    ENOENT: 'the process or the file that kept the namespace is gone',
    EACCES: 'the namespace belongs to a process of another user',
  }),
  enterNamespace: byErrno({
    EPERM:
      'joining needs CAP_SYS_ADMIN in the user namespace that owns the namespace: join that one, too, and no other',
    EINVAL: 'the process is in this user namespace already, or the pid namespace is not below its own',
  }),
  enterPidNamespaceOfOthers: byErrno({
    EOPNOTSUPP: 'join the user namespace that the pid namespace belongs to, or use createRuntime hooks',
  }),
  enterContainer: byErrno({
    EPERM: 'joining a container needs root, or to be the user who made its user namespace',
    EACCES: 'joining a container needs root, or to be the user who made its user namespace',
  }),
  affinity: byErrno({ EINVAL: 'none of these CPUs exists, or none is in the cpuset of the cgroup' }),
  idmapTree: byErrno({
    EINVAL: 'the filesystem of the source does not support idmapped mounts on this kernel',
    EPERM: 'idmapped mounts need root over the filesystem of the source',
  }),
  makeUserNamespace: byErrno({
    EPERM: 'these id mappings need root, or must be of the own user',
    ENOSPC: 'the limit of user namespaces is reached (user.max_user_namespaces)',
  }),
  clone: cloneHint,
  cloneVisible: (op, errno, fault, facts) =>
    errno === 'EAGAIN'
      ? 'the limit of processes is reached (pids.limit of the container, or ulimit -u); the process needs room for two until it runs'
      : cloneHint(op, errno, fault, facts),
  cloneIntoCgroup: cloneHint,
  becomeRoot: byErrno({ EINVAL: 'map the id 0 of the container in linux.uidMappings and linux.gidMappings' }),
  unshare: cloneHint,
  timeNamespace: byErrno({
    EINVAL: 'the kernel is built without time namespaces (CONFIG_TIME_NS)',
    ERANGE: 'the clock would become negative, or overflow',
  }),
  keyring: byErrno({
    EDQUOT: 'the user has too many keys (kernel.keys.maxkeys); --no-new-keyring does without one',
    EPERM: '--no-new-keyring does without a keyring',
    EACCES: '--no-new-keyring does without a keyring',
  }),
  rootfs: byErrno({
    EACCES: "every directory on the way to the rootfs must be open to the container's root",
    ENOTDIR: 'root.path must be a directory',
  }),
  detachRootfs: byErrno({
    EPERM: 'a read-only root without a mount namespace needs root over the host: give the container one',
  }),
  mountFilesystem: (_, errno) => ({ ...destinationHints, ...filesystemHints })[errno],
  mountBind: (_, errno, fault) => {
    if (errno === 'EPERM' && fault === 'idmap') {
      return 'what an earlier mount has brought cannot get id maps in a user namespace: mount its own source';
    }
    if (fault !== 'source' && fault !== 'sourceInRootfs') return destinationHints[errno];
    if (errno === 'EACCES') {
      const who = fault === 'source' ? 'the user who runs tsrun' : "the container's root";
      return `every directory on the way to the source must be open to ${who}`;
    }
    return errno === 'ENOENT' ? 'the source of a bind mount must exist' : undefined;
  },
  cloneTree: byErrno({ ENOENT: 'the source of a bind mount must exist' }),
  device: byErrno({ EPERM: 'making devices needs CAP_MKNOD on the host' }),
  deviceBind: byErrno({
    ENOENT:
      'without root over the host a device can only be passed on, so it must exist there under the same path',
  }),
  console: byErrno({ ENOENT: 'mount a devpts on /dev/pts' }),
  sysctl: byErrno({
    EACCES: 'this sysctl belongs to the host, or to a namespace the container does not own',
    EPERM: 'this sysctl belongs to the host, or to a namespace the container does not own',
    EINVAL: 'the kernel does not accept this value',
    EROFS: '/proc/sys is read-only here: tsrun may run in a container itself',
  }),
  enterRoot: byErrno({ EINVAL: 'on an initial ramfs use --no-pivot' }),
  raiseHardLimit: byErrno({ EPERM: hardLimitHint }),
  rlimit: byErrno({
    EPERM: hardLimitHint,
    EINVAL: 'the soft limit must not be above the hard limit',
  }),
  findExecutable: (op, errno) => {
    if (op.op !== 'findExecutable' || op.name.includes('/')) return undefined;
    if (op.path === '')
      return 'process.env has no PATH: give process.args[0] as an absolute path, or set one';
    return errno === 'ENOENT' ? `PATH is ${op.path}` : undefined;
  },
  exec: (_, errno, fault) =>
    errno === 'ENOENT' && fault === 'interpreter'
      ? 'the rootfs lacks what the program needs to run: its shell or its dynamic loader'
      : execHints[errno],
  user: byErrno({
    EINVAL: 'ids that are not in the mappings of the user namespace cannot be used',
    EPERM: 'changing users and groups needs a user namespace, or root',
  }),
  seccomp: (_, errno) => seccompHints[errno],
  apparmorProfile: byErrno({
    ENOENT: 'the profile must be loaded on the host (apparmor_parser -r FILE; aa-status lists what is)',
    EACCES: 'the AppArmor profile of tsrun itself does not allow to change to this one (change_profile)',
    EPERM: 'the AppArmor profile of tsrun itself does not allow to change to this one (change_profile)',
  }),
  selinuxLabel: byErrno({
    EINVAL: 'the loaded SELinux policy does not know this label',
    EACCES: 'the SELinux policy does not allow tsrun this label',
    EPERM: 'the SELinux policy does not allow tsrun this label',
  }),
  fileLabel: byErrno({ EINVAL: 'the loaded SELinux policy does not know this label' }),
  scheduler: (op, errno) => {
    const isDeadline = op.op === 'scheduler' && op.policy === schedulerPolicies.get('SCHED_DEADLINE');
    return isDeadline && errno === 'EPERM' ? deadlineHint : schedulerHints[errno];
  },
  ioPriority: byErrno({ EPERM: 'IOPRIO_CLASS_RT needs CAP_SYS_ADMIN or CAP_SYS_NICE on the host' }),
  memoryPolicy: byErrno({
    EINVAL:
      'the nodes must have memory and be among linux.resources.cpu.mems; MPOL_PREFERRED_MANY needs Linux 5.15, MPOL_WEIGHTED_INTERLEAVE 6.9',
  }),
  workingDirectory: byErrno({ EROFS: 'process.cwd is missing and cannot be made' }),
};

const schedulerHints: Readonly<Record<string, string>> = {
  EPERM:
    'real-time policies and a lower nice value need CAP_SYS_NICE on the host, which no user namespace gives, and on cgroup v1 a real-time budget (linux.resources.cpu.realtimeRuntime)',
  EINVAL: 'sched_setattr(2) does not accept these values together, or the kernel lacks the policy or a flag',
  EBUSY: 'the CPUs have no room for another process with this SCHED_DEADLINE runtime and period',
};

const deadlineHint =
  'SCHED_DEADLINE is only for a process that may run on every CPU: not where a cpuset leaves it some of them (linux.resources.cpu.cpus, or the cgroup above); it needs CAP_SYS_NICE on the host, too, which no user namespace gives';

const seccompHints: Readonly<Record<string, string>> = {
  EACCES: 'without process.noNewPrivileges a filter needs CAP_SYS_ADMIN in the user namespace',
  EBUSY: 'tsrun itself runs under a filter with a listener, and a process can have only one',
  EINVAL: 'the kernel is built without seccomp filters (CONFIG_SECCOMP_FILTER), or does not know a flag',
  ENOMEM: 'the filters of the process are too large together, or it is out of memory',
};

/** The destination does not exist and cannot be made. */
const destinationHints: Readonly<Record<string, string>> = {
  EACCES:
    'the destination does not exist, and the rootfs belongs to somebody whose files root of the container may not change',
  EROFS: 'the destination does not exist, and the filesystem it would be made in is read-only',
};

const filesystemHints: Readonly<Record<string, string>> = {
  ENODEV: 'see /proc/filesystems; a module may have to be loaded',
  EBUSY: 'the filesystem is mounted elsewhere with other options',
  ENOTBLK: 'the source must be a block device',
};

const cloneHints: Readonly<Record<string, string>> = {
  ENOSPC: 'a limit of namespaces is reached (user.max_*_namespaces), or they are nested too deep',
  EUSERS: 'user namespaces are nested too deep',
  EAGAIN: 'the limit of processes is reached (ulimit -u, or pids.max of the cgroup)',
  EINVAL: 'the kernel is built without one of these namespaces',
  EBUSY: 'the cgroup of the container has child cgroups that use its controllers',
};

/** What keeps a process, or its namespaces, from being made. */
function cloneHint(...[, errno, , facts]: Parameters<Hint>): string | undefined {
  if (errno !== 'EPERM' && errno !== 'EACCES') return cloneHints[errno];
  return facts?.privileged === true
    ? undefined
    : 'without root a namespace of type "user" is needed (tsrun spec --rootless); if there is one, the host must allow them to everybody (kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns)';
}

const execHints: Readonly<Record<string, string>> = {
  ENOEXEC: 'the program must be built for this architecture; a script must begin with #! and its interpreter',
  EACCES: 'the file must be executable for the user of the container, and its mount must not be noexec',
  E2BIG: 'process.args and process.env together are too long for the kernel',
  ETXTBSY: 'the file is open for writing somewhere',
  EPERM: execveHint,
};
