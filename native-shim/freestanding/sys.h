/*
 * System calls, and the few functions of a libc that the init and the launcher need. Every sys_*
 * returns what the kernel returns: -errno on failure. Only kernel headers are used, so that nothing
 * of glibc (its locks, its vDSO, its id caches) is in the process that becomes the container's.
 */
#ifndef TSRUN_FREESTANDING_SYS_H
#define TSRUN_FREESTANDING_SYS_H

#include <asm/ioctls.h>
#include <asm/poll.h>
#include <asm/signal.h>
#include <asm/stat.h>
#include <asm/statfs.h>
#include <asm/unistd.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/magic.h>
#include <linux/mman.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/stat.h>
#include <linux/time_types.h>
#include <linux/un.h>
#include <linux/wait.h>
#include <linux/xattr.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Constants of the kernel that its headers for user space do not have. */
#define AF_UNIX          1
#define AF_INET          2
#define SOCK_DGRAM       2
#define SOCK_SEQPACKET   5
#define SOCK_CLOEXEC     O_CLOEXEC
#define SOL_SOCKET       1
#define SCM_RIGHTS       1
#define MSG_NOSIGNAL     0x4000
#define MSG_PEEK         0x2
#define MSG_DONTWAIT     0x40
#define MSG_CMSG_CLOEXEC 0x40000000
#define MSG_TRUNC        0x20
#define MSG_CTRUNC       0x8
#define UMOUNT_DETACH    2
#define UMOUNT_NOFOLLOW  8
#define SEEK_SET         0
#define SEEK_CUR         1
#define SEEK_END         2
#define SEEK_DATA        3
#define SEEK_HOLE        4
#define P_PID            1
#define X_OK             1
#define R_OK             4
#define ST_NOEXEC        8
#define CLOCK_MONOTONIC  1

struct iovec {
    void *iov_base;
    size_t iov_len;
};

/* struct user_msghdr of the kernel. */
struct msghdr {
    void *msg_name;
    int msg_namelen;
    struct iovec *msg_iov;
    size_t msg_iovlen;
    void *msg_control;
    size_t msg_controllen;
    unsigned int msg_flags;
};

struct cmsghdr {
    size_t cmsg_len;
    int cmsg_level;
    int cmsg_type;
};

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *at, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t size);
char *strchr(const char *text, int byte);
char *strrchr(const char *text, int byte);

#if defined(__x86_64__)

static inline long sys_call6(long nr, long a, long b, long c, long d, long e, long f) {
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

#elif defined(__aarch64__)

static inline long sys_call6(long nr, long a, long b, long c, long d, long e, long f) {
    register long x8 __asm__("x8") = nr;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;

    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
}

#else
#error "tsrun knows x86_64 and aarch64"
#endif

/* Missing arguments are zero, so that no register passes something else. */
#define SYS_PAD(nr, a, b, c, d, e, f, ...)                                                         \
    sys_call6((nr), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define SYS(nr, ...) SYS_PAD(nr, __VA_ARGS__, 0, 0, 0, 0, 0, 0)

/* Files. */

static inline int sys_openat(int dir, const char *path, int flags, unsigned int mode) {
    return (int)SYS(__NR_openat, dir, path, flags, mode);
}

static inline int sys_openat2(int dir, const char *path, uint64_t flags, uint64_t mode,
                              uint64_t resolve) {
    struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};

    return (int)SYS(__NR_openat2, dir, path, &how, sizeof(how));
}

static inline int sys_close(int fd) {
    return (int)SYS(__NR_close, fd);
}

static inline int sys_close_range(unsigned int first, unsigned int last, unsigned int flags) {
    return (int)SYS(__NR_close_range, first, last, flags);
}

static inline long sys_read(int fd, void *buffer, size_t size) {
    return SYS(__NR_read, fd, buffer, size);
}

static inline long sys_pread(int fd, void *buffer, size_t size, uint64_t offset) {
    return SYS(__NR_pread64, fd, buffer, size, offset);
}

static inline long sys_write(int fd, const void *buffer, size_t size) {
    return SYS(__NR_write, fd, buffer, size);
}

static inline long sys_lseek(int fd, int64_t offset, int whence) {
    return SYS(__NR_lseek, fd, offset, whence);
}

static inline int sys_fcntl(int fd, int command, long argument) {
    return (int)SYS(__NR_fcntl, fd, command, argument);
}

static inline int sys_ioctl(int fd, unsigned long request, unsigned long argument) {
    return (int)SYS(__NR_ioctl, fd, request, argument);
}

/* Fails with EINVAL when the two are the same descriptor, unlike dup2(2). */
static inline int sys_dup3(int from, int to, int flags) {
    return (int)SYS(__NR_dup3, from, to, flags);
}

static inline int sys_pipe2(int ends[2], int flags) {
    return (int)SYS(__NR_pipe2, ends, flags);
}

static inline int sys_fstat(int fd, struct stat *st) {
    return (int)SYS(__NR_fstat, fd, st);
}

static inline int sys_fstatat(int dir, const char *path, struct stat *st, int flags) {
    return (int)SYS(__NR_newfstatat, dir, path, st, flags);
}

static inline int sys_statx(int dir, const char *path, int flags, unsigned int mask,
                            struct statx *st) {
    return (int)SYS(__NR_statx, dir, path, flags, mask, st);
}

static inline int sys_fstatfs(int fd, struct statfs *st) {
    return (int)SYS(__NR_fstatfs, fd, st);
}

static inline int sys_faccessat(int dir, const char *path, int mode) {
    return (int)SYS(__NR_faccessat, dir, path, mode);
}

/* With the effective ids and capabilities, as execve(2) checks (Linux 5.8). */
static inline int sys_faccessat2(int dir, const char *path, int mode) {
    return (int)SYS(__NR_faccessat2, dir, path, mode, AT_EACCESS);
}

static inline long sys_readlinkat(int dir, const char *path, char *buffer, size_t size) {
    return SYS(__NR_readlinkat, dir, path, buffer, size);
}

static inline int sys_mkdirat(int dir, const char *path, unsigned int mode) {
    return (int)SYS(__NR_mkdirat, dir, path, mode);
}

static inline int sys_mknodat(int dir, const char *path, unsigned int mode, unsigned int device) {
    return (int)SYS(__NR_mknodat, dir, path, mode, device);
}

/* What mknod(2) takes: new_encode_dev in include/linux/kdev_t.h of the kernel. */
static inline unsigned int sys_device_number(uint32_t major, uint32_t minor) {
    return (minor & 0xff) | major << 8 | (minor & ~0xffu) << 12;
}

static inline int sys_symlinkat(const char *target, int dir, const char *path) {
    return (int)SYS(__NR_symlinkat, target, dir, path);
}

static inline int sys_linkat(int from_dir, const char *from, int to_dir, const char *to,
                             int flags) {
    return (int)SYS(__NR_linkat, from_dir, from, to_dir, to, flags);
}

static inline int sys_unlinkat(int dir, const char *path, int flags) {
    return (int)SYS(__NR_unlinkat, dir, path, flags);
}

static inline int sys_renameat2(int from_dir, const char *from, int to_dir, const char *to,
                                unsigned int flags) {
    return (int)SYS(__NR_renameat2, from_dir, from, to_dir, to, flags);
}

static inline int sys_fchmod(int fd, unsigned int mode) {
    return (int)SYS(__NR_fchmod, fd, mode);
}

/* Follows a symbolic link in the last part. */
static inline int sys_fchmodat(int dir, const char *path, unsigned int mode) {
    return (int)SYS(__NR_fchmodat, dir, path, mode);
}

static inline int sys_fchown(int fd, uint32_t uid, uint32_t gid) {
    return (int)SYS(__NR_fchown, fd, uid, gid);
}

static inline int sys_fchownat(int dir, const char *path, uint32_t uid, uint32_t gid, int flags) {
    return (int)SYS(__NR_fchownat, dir, path, uid, gid, flags);
}

static inline int sys_utimensat(int dir, const char *path, const struct __kernel_timespec times[2],
                                int flags) {
    return (int)SYS(__NR_utimensat, dir, path, times, flags);
}

static inline int sys_ftruncate(int fd, uint64_t size) {
    return (int)SYS(__NR_ftruncate, fd, size);
}

static inline long sys_sendfile(int to, int from, int64_t *offset, size_t size) {
    return SYS(__NR_sendfile, to, from, offset, size);
}

static inline long sys_copy_file_range(int from, int64_t *from_offset, int to, int64_t *to_offset,
                                       size_t size, unsigned int flags) {
    return SYS(__NR_copy_file_range, from, from_offset, to, to_offset, size, flags);
}

static inline long sys_getdents64(int fd, void *buffer, size_t size) {
    return SYS(__NR_getdents64, fd, buffer, size);
}

static inline long sys_fgetxattr(int fd, const char *name, void *value, size_t size) {
    return SYS(__NR_fgetxattr, fd, name, value, size);
}

static inline long sys_flistxattr(int fd, char *list, size_t size) {
    return SYS(__NR_flistxattr, fd, list, size);
}

static inline int sys_fsetxattr(int fd, const char *name, const void *value, size_t size,
                                int flags) {
    return (int)SYS(__NR_fsetxattr, fd, name, value, size, flags);
}

static inline long sys_lgetxattr(const char *path, const char *name, void *value, size_t size) {
    return SYS(__NR_lgetxattr, path, name, value, size);
}

static inline long sys_llistxattr(const char *path, char *list, size_t size) {
    return SYS(__NR_llistxattr, path, list, size);
}

static inline int sys_lsetxattr(const char *path, const char *name, const void *value, size_t size,
                                int flags) {
    return (int)SYS(__NR_lsetxattr, path, name, value, size, flags);
}

static inline int sys_chdir(const char *path) {
    return (int)SYS(__NR_chdir, path);
}

static inline int sys_fchdir(int fd) {
    return (int)SYS(__NR_fchdir, fd);
}

static inline int sys_chroot(const char *path) {
    return (int)SYS(__NR_chroot, path);
}

/* Returns the length with the NUL. "(unreachable)" comes first when it is outside the root. */
static inline long sys_getcwd(char *buffer, size_t size) {
    return SYS(__NR_getcwd, buffer, size);
}

static inline unsigned int sys_umask(unsigned int mask) {
    return (unsigned int)SYS(__NR_umask, mask);
}

/* A descriptor that is closed at the end of its block, unless it is negative. */
#define cleanup_close __attribute__((cleanup(close_descriptor)))

static inline void close_descriptor(const int *fd) {
    if (*fd >= 0)
        sys_close(*fd);
}

/* The descriptor, which stays open: the caller has it now. */
static inline int take_fd(int *fd) {
    int taken = *fd;

    *fd = -1;
    return taken;
}

/* Mounts. */

static inline int sys_mount(const char *source, const char *target, const char *type,
                            uint64_t flags, const void *data) {
    return (int)SYS(__NR_mount, source, target, type, flags, data);
}

static inline int sys_umount2(const char *target, int flags) {
    return (int)SYS(__NR_umount2, target, flags);
}

static inline int sys_pivot_root(const char *new_root, const char *put_old) {
    return (int)SYS(__NR_pivot_root, new_root, put_old);
}

static inline int sys_open_tree(int dir, const char *path, unsigned int flags) {
    return (int)SYS(__NR_open_tree, dir, path, flags);
}

static inline int sys_move_mount(int from_dir, const char *from, int to_dir, const char *to,
                                 unsigned int flags) {
    return (int)SYS(__NR_move_mount, from_dir, from, to_dir, to, flags);
}

static inline int sys_fsopen(const char *type, unsigned int flags) {
    return (int)SYS(__NR_fsopen, type, flags);
}

static inline int sys_fsconfig(int fd, unsigned int command, const char *key, const void *value,
                               int auxiliary) {
    return (int)SYS(__NR_fsconfig, fd, command, key, value, auxiliary);
}

static inline int sys_fsmount(int fd, unsigned int flags, unsigned int attributes) {
    return (int)SYS(__NR_fsmount, fd, flags, attributes);
}

static inline int sys_fspick(int dir, const char *path, unsigned int flags) {
    return (int)SYS(__NR_fspick, dir, path, flags);
}

static inline int sys_mount_setattr(int dir, const char *path, unsigned int flags,
                                    const struct mount_attr *attributes) {
    return (int)SYS(__NR_mount_setattr, dir, path, flags, attributes, sizeof(*attributes));
}

/* Processes. */

static inline int sys_clone3(const struct clone_args *arguments) {
    return (int)SYS(__NR_clone3, arguments, sizeof(*arguments));
}

/* Without a new stack, as fork(2). `pidfd` is for CLONE_PIDFD. */
static inline int sys_clone(uint64_t flags, int *pidfd) {
    return (int)SYS(__NR_clone, flags, 0, pidfd, 0, 0);
}

static inline int sys_execve(const char *path, char *const args[], char *const env[]) {
    return (int)SYS(__NR_execve, path, args, env);
}

static inline int sys_execveat(int dir, const char *path, char *const args[], char *const env[],
                               int flags) {
    return (int)SYS(__NR_execveat, dir, path, args, env, flags);
}

/* A seccomp profile may deny even this: then an illegal instruction ends the process. */
static inline _Noreturn void sys_exit(int status) {
    SYS(__NR_exit_group, status);
    __builtin_trap();
}

static inline int sys_wait4(int pid, int *status, int options) {
    return (int)SYS(__NR_wait4, pid, status, options, 0);
}

static inline int sys_kill(int pid, int signal) {
    return (int)SYS(__NR_kill, pid, signal);
}

static inline int sys_getpid(void) {
    return (int)SYS(__NR_getpid, 0);
}

static inline int sys_getppid(void) {
    return (int)SYS(__NR_getppid, 0);
}

static inline int sys_pidfd_open(int pid, unsigned int flags) {
    return (int)SYS(__NR_pidfd_open, pid, flags);
}

static inline int sys_pidfd_send_signal(int pidfd, int signal) {
    return (int)SYS(__NR_pidfd_send_signal, pidfd, signal, 0, 0);
}

static inline int sys_setns(int fd, int type) {
    return (int)SYS(__NR_setns, fd, type);
}

static inline int sys_sched_setaffinity(int pid, size_t size, const void *mask) {
    return (int)SYS(__NR_sched_setaffinity, pid, size, mask);
}

static inline int sys_unshare(uint64_t flags) {
    return (int)SYS(__NR_unshare, flags);
}

static inline int sys_prctl(int option, unsigned long a, unsigned long b, unsigned long c,
                            unsigned long d) {
    return (int)SYS(__NR_prctl, option, a, b, c, d);
}

static inline int sys_prlimit(int pid, unsigned int resource, const struct rlimit64 *new_limit,
                              struct rlimit64 *old_limit) {
    return (int)SYS(__NR_prlimit64, pid, resource, new_limit, old_limit);
}

struct sched_attr;

static inline int sys_sched_setattr(int pid, const struct sched_attr *attr) {
    return (int)SYS(__NR_sched_setattr, pid, attr, 0);
}

static inline int sys_ioprio_set(int which, int who, int priority) {
    return (int)SYS(__NR_ioprio_set, which, who, priority);
}

static inline int sys_set_mempolicy(int mode, const void *nodes, unsigned long bits) {
    return (int)SYS(__NR_set_mempolicy, mode, nodes, bits);
}

/* Returns the former persona. */
static inline int sys_personality(unsigned long persona) {
    return (int)SYS(__NR_personality, persona);
}

static inline int sys_seccomp(unsigned int operation, unsigned int flags, const void *arguments) {
    return (int)SYS(__NR_seccomp, operation, flags, arguments);
}

static inline int sys_setsid(void) {
    return (int)SYS(__NR_setsid, 0);
}

static inline uint32_t sys_geteuid(void) {
    return (uint32_t)SYS(__NR_geteuid, 0);
}

static inline int sys_setresuid(uint32_t real, uint32_t effective, uint32_t saved) {
    return (int)SYS(__NR_setresuid, real, effective, saved);
}

static inline int sys_setresgid(uint32_t real, uint32_t effective, uint32_t saved) {
    return (int)SYS(__NR_setresgid, real, effective, saved);
}

static inline int sys_setgroups(size_t count, const uint32_t *groups) {
    return (int)SYS(__NR_setgroups, count, groups);
}

static inline int sys_capget(struct __user_cap_header_struct *header,
                             struct __user_cap_data_struct *data) {
    return (int)SYS(__NR_capget, header, data);
}

static inline int sys_capset(struct __user_cap_header_struct *header,
                             const struct __user_cap_data_struct *data) {
    return (int)SYS(__NR_capset, header, data);
}

static inline int sys_sethostname(const char *name, size_t size) {
    return (int)SYS(__NR_sethostname, name, size);
}

static inline int sys_setdomainname(const char *name, size_t size) {
    return (int)SYS(__NR_setdomainname, name, size);
}

static inline long sys_keyctl(int operation, unsigned long a, unsigned long b, unsigned long c) {
    return SYS(__NR_keyctl, operation, a, b, c, 0);
}

static inline int sys_sigaction(int signal, const struct sigaction *action, struct sigaction *old) {
    return (int)SYS(__NR_rt_sigaction, signal, action, old, sizeof(sigset_t));
}

static inline int sys_sigprocmask(int how, const sigset_t *set, sigset_t *old) {
    return (int)SYS(__NR_rt_sigprocmask, how, set, old, sizeof(sigset_t));
}

/* `timeout` may be NULL: no limit. */
static inline int sys_ppoll(struct pollfd *fds, unsigned int count,
                            const struct __kernel_timespec *timeout) {
    struct __kernel_timespec copy;

    /* The kernel stores the remaining time in it. */
    if (timeout != NULL)
        copy = *timeout;
    return (int)SYS(__NR_ppoll, fds, count, timeout == NULL ? NULL : &copy, 0, sizeof(sigset_t));
}

static inline int sys_clock_gettime(int clock, struct __kernel_timespec *time) {
    return (int)SYS(__NR_clock_gettime, clock, time);
}

/* Returns the address, or -errno: test with sys_is_error. */
static inline void *sys_mmap(size_t size, int protection, int flags, int fd) {
    return (void *)SYS(__NR_mmap, 0, size, protection, flags, fd, 0);
}

static inline bool sys_is_error(const void *address) {
    return (uintptr_t)address > (uintptr_t)-4096;
}

static inline int sys_munmap(void *address, size_t size) {
    return (int)SYS(__NR_munmap, address, size);
}

/* Sockets. */

static inline int sys_socket(int family, int type, int protocol) {
    return (int)SYS(__NR_socket, family, type, protocol);
}

static inline int sys_listen(int fd, int backlog) {
    return (int)SYS(__NR_listen, fd, backlog);
}

static inline int sys_pidfd_getfd(int pidfd, int fd) {
    return (int)SYS(__NR_pidfd_getfd, pidfd, fd, 0);
}

static inline int sys_accept4(int fd, int flags) {
    return (int)SYS(__NR_accept4, fd, 0, 0, flags);
}

static inline long sys_sendmsg(int fd, const struct msghdr *message, int flags) {
    return SYS(__NR_sendmsg, fd, message, flags);
}

static inline long sys_recvmsg(int fd, struct msghdr *message, int flags) {
    return SYS(__NR_recvmsg, fd, message, flags);
}

#endif
