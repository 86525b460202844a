/*
 * procfs of a pid namespace that this process is not in. A mount of procfs shows the pid namespace
 * of the process that has opened its filesystem context. From Linux 6.17 on an option names another
 * one. Before, a process in the namespace opens the context and sends it back.
 */
#include "procfs.h"

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

int run_procfs_pid_namespace(struct context *c, const struct op_procfs_pid_namespace *o) {
    int fd = slot_get(c, o->slot);

    if (fd < 0)
        return fd;
    c->procfs_pid_namespace = fd + 1;
    return 0;
}

/* Makes an empty tmpfs the root and the working directory, in a new mount namespace. */
static int enter_empty_root(void) {
    int root = -1, fs, error = sys_unshare(CLONE_NEWNS);

    if (error == 0)
        error = sys_mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL);
    if (error < 0)
        return error;
    fs = sys_fsopen("tmpfs", FSOPEN_CLOEXEC);
    if (fs < 0)
        return fs;
    error = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
    if (error == 0)
        error = root = sys_fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
    if (error >= 0)
        error = sys_move_mount(root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH);
    if (error == 0)
        error = sys_fchdir(root);
    if (error == 0)
        error = sys_pivot_root(".", ".");
    if (error == 0)
        error = sys_umount2(".", UMOUNT_DETACH);
    if (error == 0)
        error = sys_chdir("/");
    return error;
}

static int keep_only_sys_admin(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
        {.effective = 1u << CAP_SYS_ADMIN, .permitted = 1u << CAP_SYS_ADMIN},
    };

    return sys_capset(&header, data);
}

#if defined(__x86_64__)
#define NATIVE_AUDIT_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_AUDIT_ARCH AUDIT_ARCH_AARCH64
#endif

#define ALLOW(number)                                                                              \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1),                                           \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/*
 * The system calls that the helper and its child still need. A process that traces the child cannot
 * make it do more: the filter is applied after the tracer has changed a call (seccomp(2)). A
 * filesystem context alone is of no use without CAP_SYS_ADMIN.
 */
static int allow_only_fsopen(void) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_AUDIT_ARCH, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(__NR_read),
        ALLOW(__NR_write),
        ALLOW(__NR_fsopen),
        ALLOW(__NR_clone3),
        ALLOW(__NR_clone),
        ALLOW(__NR_wait4),
        ALLOW(__NR_exit_group),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {.len = ARRAY_SIZE(filter), .filter = filter};

    return sys_seccomp(SECCOMP_SET_MODE_FILTER, 0, &program);
}

/*
 * Pipes, since a socket names the process at its other end. The helper sends numbers: first its
 * child's pid. When A has written to `go`, the child sends a descriptor or -errno.
 */
struct helper {
    int answers[2];
    /* A closes it when it has fetched the descriptor. */
    int go[2];
};

static void tell(const struct helper *h, int number) {
    if (sys_write(h->answers[1], &number, sizeof(number)) != (long)sizeof(number))
        sys_exit(1);
}

/* Waits until A writes a byte or closes its end. */
static void wait_for_a(const struct helper *h) {
    char byte;

    while (sys_read(h->go[0], &byte, 1) == -EINTR)
        ;
}

/* In the child, which is in the namespace. */
static _Noreturn void open_inside(const struct helper *h) {
    wait_for_a(h);
    tell(h, sys_fsopen("proc", FSOPEN_CLOEXEC));
    wait_for_a(h);
    sys_exit(0);
}

/* Closes all descriptors but the helper's; stdio may be the caller's terminal. */
static int close_others(struct context *c, const struct helper *h) {
    int first = h->answers[1], second = h->go[0];
    int high = first < second ? second : first;

    for (int fd = 0; fd < high; fd++)
        if (fd != first && fd != second)
            sys_close(fd);
    return close_descriptors(c, high + 1, -1);
}

/*
 * In a child that the namespace cannot see. The child of this one is in the namespace, where others
 * may trace it. It has an empty root, two pipes, and the only capability that fsopen(2) needs. A
 * must be able to trace it, so it is dumpable.
 */
static _Noreturn void run_helper(struct context *c, const struct helper *h) {
    int pid, status, error = sys_setns(c->procfs_pid_namespace - 1, CLONE_NEWPID);

    if (error == 0)
        error = enter_empty_root();
    if (error == 0)
        error = close_others(c, h);
    if (error == 0)
        error = sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (error == 0)
        error = keep_only_sys_admin();
    if (error == 0)
        error = sys_prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    if (error == 0)
        error = allow_only_fsopen();
    pid = error < 0 ? error : fork_process(0, NULL);
    if (pid == 0)
        open_inside(h);
    tell(h, pid);
    while (pid > 0 && sys_wait4(pid, &status, 0) == -EINTR)
        ;
    sys_exit(0);
}

/* The next number; -ESRCH when the process that sends it was killed. */
static int hear(const struct helper *h) {
    int number;
    long size;

    do
        size = sys_read(h->answers[0], &number, sizeof(number));
    while (size == -EINTR);
    if (size == (long)sizeof(number))
        return number;
    return size < 0 ? (int)size : -ESRCH;
}

static int fetch(const struct helper *h) {
    int fd, error, pidfd, pid = hear(h);

    if (pid < 0)
        return pid;
    pidfd = sys_pidfd_open(pid, 0);
    if (pidfd < 0)
        return pidfd;
    error = (int)sys_write(h->go[1], "", 1);
    fd = error < 0 ? error : hear(h);
    if (fd >= 0)
        fd = sys_pidfd_getfd(pidfd, fd);
    sys_close(pidfd);
    return fd;
}

static int open_by_child(struct context *c) {
    struct helper h;
    int pid, status, fs, error = sys_pipe2(h.answers, O_CLOEXEC);

    if (error < 0)
        return error;
    error = sys_pipe2(h.go, O_CLOEXEC);
    if (error < 0) {
        sys_close(h.answers[0]);
        sys_close(h.answers[1]);
        return error;
    }
    pid = fork_process(0, NULL);
    if (pid == 0)
        run_helper(c, &h);
    sys_close(h.answers[1]);
    sys_close(h.go[0]);
    fs = pid < 0 ? pid : fetch(&h);
    sys_close(h.answers[0]);
    sys_close(h.go[1]);
    while (pid > 0 && sys_wait4(pid, &status, 0) == -EINTR)
        ;
    return fs;
}

int procfs_open_context(struct context *c) {
    int error, fs = sys_fsopen("proc", FSOPEN_CLOEXEC);

    if (fs >= 0 && c->procfs_pid_namespace != 0) {
        error = sys_fsconfig(fs, FSCONFIG_SET_FD, "pidns", NULL, c->procfs_pid_namespace - 1);
        if (error < 0) {
            sys_close(fs);
            /* A namespace that has been entered would see the child, which has the host's files. */
            if (error == -EINVAL)
                error = c->pid_namespace_left ? -EPERM : open_by_child(c);
            fs = error;
        }
    }
    return fs < 0 ? fail(c, fs, "filesystem proc") : fs;
}
