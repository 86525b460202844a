/*
 * procfs of a pid namespace that this process is not in. A mount of procfs shows the namespace of
 * the process that opens its filesystem context; from Linux 6.17 on it can be told another one.
 * Before, a process that enters the namespace opens the context and sends it back.
 */
#include "procfs.h"

#include <linux/capability.h>

int run_procfs_pid_namespace(struct context *c, const struct op_procfs_pid_namespace *o) {
    int fd = slot_get(c, o->slot);

    if (fd < 0)
        return fd;
    c->procfs_pid_namespace = fd + 1;
    return 0;
}

/* An empty tmpfs becomes the root and the working directory, in a mount namespace of its own. */
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

/* Sends the errno, or a descriptor, and ends. */
static _Noreturn void answer(int to, int result) {
    struct descriptor_message control = DESCRIPTOR_MESSAGE(result);
    struct iovec part = {.iov_base = &result, .iov_len = sizeof(result)};
    struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};

    if (result >= 0) {
        packet.msg_control = &control;
        packet.msg_controllen = sizeof(control);
    }
    sys_exit(sys_sendmsg(to, &packet, MSG_NOSIGNAL) < 0 ? 1 : 0);
}

/*
 * In a child that no one of the namespace sees. Its own child is in the namespace, where others may
 * trace it: that one has an empty root, a socket, and the one capability fsopen(2) asks for.
 */
static _Noreturn void open_inside(struct context *c, int to) {
    int pid, status, error = sys_setns(c->procfs_pid_namespace - 1, CLONE_NEWPID);

    if (error == 0)
        error = sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (error == 0)
        error = enter_empty_root();
    if (error == 0)
        error = close_descriptors(c, c->internal_base, to);
    if (error == 0)
        error = sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (error == 0)
        error = keep_only_sys_admin();
    if (error < 0)
        answer(to, error);
    pid = fork_process(0, NULL);
    if (pid == 0)
        answer(to, sys_fsopen("proc", FSOPEN_CLOEXEC));
    if (pid < 0)
        answer(to, pid);
    while (sys_wait4(pid, &status, 0) == -EINTR)
        ;
    sys_exit(0);
}

/* What `answer` has sent, or -ESRCH when the child was killed before. */
static int receive(int from) {
    int result;
    struct descriptor_message control = DESCRIPTOR_MESSAGE(-1);
    struct iovec part = {.iov_base = &result, .iov_len = sizeof(result)};
    struct msghdr packet = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = sizeof(control)};
    long size;

    do
        size = sys_recvmsg(from, &packet, MSG_CMSG_CLOEXEC);
    while (size == -EINTR);
    if (size != (long)sizeof(result))
        return size < 0 ? (int)size : -ESRCH;
    if (result < 0)
        return result;
    return packet.msg_controllen >= sizeof(control.header) + sizeof(int) &&
                   control.header.cmsg_type == SCM_RIGHTS
               ? control.fd
               : -EPROTO;
}

static int open_by_child(struct context *c) {
    int ends[2], pid, status, fs;
    int error = sys_socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, ends);

    if (error < 0)
        return error;
    pid = fork_process(0, NULL);
    if (pid == 0)
        open_inside(c, ends[1]);
    sys_close(ends[1]);
    fs = pid < 0 ? pid : receive(ends[0]);
    sys_close(ends[0]);
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
            fs = error == -EINVAL ? open_by_child(c) : error;
        }
    }
    return fs < 0 ? fail(c, fs, "filesystem proc") : fs;
}
