import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Finding } from '../../core/finding.ts';
import type { Bundle } from '../bundle.ts';
import { defaultConfig } from '../defaults.ts';
import { parseJson } from '../json/parse.ts';
import type { Config } from '../types.ts';
import { reportFindings } from '../validate.ts';

/** A config without any finding, for tests to spoil. */
export function goodConfig(): Config {
  return defaultConfig({ rootless: false, uid: 0, gid: 0 });
}

/** The bundle a text would make, without a file. */
export function bundleOf(text: string): Bundle {
  return { directory: '/b', file: '/b/config.json', text, config: parseJson(text) as Config };
}

/** Everything the validation says of a config. */
export function findingsOf(bundle: Bundle): Finding[] {
  const findings: Finding[] = [];
  reportFindings(bundle, (finding) => void findings.push(finding));
  return findings;
}

/** A bundle folder with this config.json and a rootfs. */
export function makeBundle(text: string | Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'tsrun-bundle-'));
  writeFileSync(join(folder, 'config.json'), text);
  mkdirSync(join(folder, 'rootfs'));
  return folder;
}

const capabilities = (
  'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT ' +
  'KILL AUDIT_WRITE'
)
  .split(' ')
  .map((name) => `CAP_${name}`);

const allowedCalls =
  'accept access alarm bind brk capget capset chdir chmod chown clock_gettime close connect copy_file_range ' +
  'creat dup dup2 dup3 epoll_create1 epoll_ctl epoll_pwait eventfd2 execve execveat exit exit_group faccessat ' +
  'fadvise64 fallocate fchdir fchmod fchmodat fchown fchownat fcntl fdatasync fgetxattr flock fork fstat fstatfs ' +
  'fsync ftruncate futex getcpu getcwd getdents64 getegid geteuid getgid getgroups getpeername getpgid getpid ' +
  'getppid getpriority getrandom getresgid getresuid getrlimit getrusage getsid getsockname getsockopt gettid ' +
  'gettimeofday getuid getxattr inotify_add_watch inotify_init1 io_submit ioctl kill landlock_add_rule lchown ' +
  'link linkat listen lseek lstat madvise membarrier memfd_create mkdir mkdirat mknod mlock mmap mprotect mremap ' +
  'msync munlock munmap nanosleep newfstatat open openat openat2 pause pidfd_open pipe pipe2 poll ppoll prctl ' +
  'pread64 preadv prlimit64 pselect6 pwrite64 read readahead readlink readlinkat readv recvfrom recvmsg rename ' +
  'renameat2 rmdir rseq rt_sigaction rt_sigprocmask rt_sigreturn sched_getaffinity sched_yield seccomp select ' +
  'semctl sendfile sendmsg sendto set_robust_list set_tid_address setgid setgroups setitimer setpgid setsid ' +
  'setsockopt setuid shmat shutdown sigaltstack socket socketpair splice stat statfs statx symlink sync sysinfo ' +
  'tee tgkill time timer_create timerfd_create times truncate umask uname unlink unlinkat utimensat vfork wait4 ' +
  'waitid write writev';

/** What an engine writes for an ordinary container: many mounts, a seccomp profile, every kind of limit. */
export function engineConfig(): Config {
  const config = goodConfig();
  const bind = (destination: string) => ({
    destination,
    type: 'bind',
    source: `/var/lib/engine/containers/0a1b2c3d4e5f/${destination.slice(5)}`,
    options: ['rbind', 'rprivate'],
  });
  return {
    ...config,
    ociVersion: '1.2.0',
    process: {
      user: { uid: 0, gid: 0, additionalGids: [0, 10] },
      args: ['docker-entrypoint.sh', 'nginx', '-g', 'daemon off;'],
      env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'HOSTNAME=0a1b2c3d4e5f', 'NGINX_VERSION=1.27', 'EMPTY='],
      cwd: '/',
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      oomScoreAdj: 0,
      rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1048576, hard: 1048576 }],
    },
    hostname: '0a1b2c3d4e5f',
    mounts: [...(config.mounts ?? []), bind('/etc/resolv.conf'), bind('/etc/hostname'), bind('/etc/hosts')],
    hooks: { prestart: [{ path: '/proc/1/exe', args: ['libnetwork-setkey', '0a1b2c3d4e5f'] }] },
    linux: {
      ...config.linux,
      sysctl: { 'net.ipv4.ip_unprivileged_port_start': '0', 'net.ipv4.ping_group_range': '0 2147483647' },
      cgroupsPath: '/engine/0a1b2c3d4e5f',
      rootfsPropagation: '',
      resources: {
        devices: [
          { allow: false, access: 'rwm' },
          ...[3, 5, 7, 8, 9].map((minor) => ({ allow: true, type: 'c', major: 1, minor, access: 'rwm' })),
        ],
        memory: { limit: 536870912, reservation: 0, swap: 1073741824, disableOOMKiller: false },
        cpu: { shares: 512, quota: 50000, period: 100000, cpus: '0-1', mems: '' },
        pids: { limit: 0 },
        blockIO: { weight: 0 },
      },
      seccomp: {
        defaultAction: 'SCMP_ACT_ERRNO',
        defaultErrnoRet: 1,
        architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
        syscalls: [
          { names: allowedCalls.split(' '), action: 'SCMP_ACT_ALLOW' },
          {
            names: ['personality'],
            action: 'SCMP_ACT_ALLOW',
            args: [{ index: 0, value: 4294967295, op: 'SCMP_CMP_EQ' }],
          },
          {
            names: ['clone'],
            action: 'SCMP_ACT_ALLOW',
            args: [{ index: 0, value: 2114060288, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
          },
          { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
        ],
      },
    },
  };
}
