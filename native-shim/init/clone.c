/*
 * Making B, and the process that continues A in another cgroup. Each is a sibling of the process
 * that clones it (CLONE_PARENT): the engine is the parent of all, and the cloning process can end.
 */
#include "init.h"

/* Tells the engine the child's pid, then lets the child continue, and ends. */
static _Noreturn void announce(struct context *c, int pid, int go) {
    char byte = 0;

    if (send_message(c, MESSAGE_PID, 0, (uint32_t)pid, NULL, 0) < 0)
        sys_exit(1);
    sys_write(go, &byte, 1);
    sys_exit(0);
}

/*
 * In the child: waits until the engine knows its pid. When the parent ends before, the engine is
 * gone or the parent was killed, and nobody would wait for the child.
 */
static void await_announcement(const int pipe[2]) {
    char byte;
    long size;

    sys_close(pipe[1]);
    do
        size = sys_read(pipe[0], &byte, 1);
    while (size == -EINTR);
    if (size != 1)
        sys_exit(1);
    sys_close(pipe[0]);
}

/*
 * True when the engine has closed its end of the socket: nobody would wait for a child. With pipes
 * the next write finds that out.
 */
static bool engine_is_gone(const struct context *c) {
    char byte;
    struct iovec part = {.iov_base = &byte, .iov_len = sizeof(byte)};
    struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};

    return !c->pipes && sys_recvmsg(c->channel, &packet, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/*
 * Continues in a child. CLONE_PARENT allows no exit signal of its own: the child has that of this
 * process.
 */
static int go_on_in_child(struct context *c, uint64_t flags, int cgroup) {
    struct clone_args arguments = {.flags = flags | CLONE_PARENT};
    int pipe[2], pid;
    int error = sys_pipe2(pipe, O_CLOEXEC);

    if (error < 0)
        return fail(c, error, "pipe");
    if (engine_is_gone(c))
        sys_exit(1);
    if (cgroup >= 0) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = (uint64_t)cgroup;
    }
    pid = sys_clone3(&arguments);
    /*
     * The container's own filter may be loaded. A filter cannot read the arguments of clone3(2),
     * and many deny it.
     */
    if ((pid == -ENOSYS || pid == -EPERM) && cgroup < 0)
        pid = sys_clone(arguments.flags, NULL);
    if (pid < 0)
        return fail(c, pid, cgroup >= 0 ? "clone3 into the cgroup" : "clone3");
    if (pid > 0)
        announce(c, pid, pipe[1]);
    await_announcement(pipe);
    return 0;
}

static int own_cgroup(const struct context *c) {
    return c->slots[SLOT_CGROUP] - 1;
}

int run_clone(struct context *c, const struct op_clone *o) {
    int error = go_on_in_child(c, o->flags, own_cgroup(c));

    if (error < 0)
        return error;
    if ((o->flags & CLONE_NEWUSER) != 0)
        c->user_namespace = true;
    slot_close(c, SLOT_CGROUP);
    return 0;
}

int run_clone_into_cgroup(struct context *c, const struct op_clone_into_cgroup *o) {
    int error, cgroup = slot_get(c, SLOT_CGROUP);

    (void)o;
    if (cgroup < 0)
        return cgroup;
    error = go_on_in_child(c, 0, cgroup);
    if (error == 0)
        slot_close(c, SLOT_CGROUP);
    return error;
}

/*
 * From the clone on, B is in a pid namespace with other processes. One with CAP_SYS_PTRACE can
 * trace B and reach everything behind its descriptors, its root and its working directory. So by
 * now the plan has closed the descriptors of the host, entered the container's root, and given up
 * the privileges that the container's process must not have. Nobody else can trace B: it is not
 * dumpable, because A is not (enterContainer, enterNamespace, user).
 */
int run_clone_visible(struct context *c, const struct op_clone_visible *o) {
    (void)o;
    return go_on_in_child(c, 0, -1);
}
