/* Sync points with the engine, and waiting for `start`. */
#include "init.h"

/* Room for the two descriptors that `go` may carry, and a third to detect too many. */
#define MAX_PASSED 3

struct go {
    uint32_t type;
    uint32_t rest[3];
};

struct passed {
    _Alignas(struct cmsghdr) unsigned char bytes[sizeof(struct cmsghdr) + MAX_PASSED * sizeof(int)];
};

/* Puts the descriptors that came with a `go` into their slots. There must be none or two. */
static int take_passed(struct context *c, const struct msghdr *packet) {
    const struct cmsghdr *head = packet->msg_control;
    const unsigned char *data = (const unsigned char *)(head + 1);
    int fds[MAX_PASSED];
    size_t count;
    int error;

    if (packet->msg_controllen < sizeof(*head))
        return 0;
    if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS ||
        head->cmsg_len < sizeof(*head) || head->cmsg_len > packet->msg_controllen)
        return fail(c, -EPROTO, "the engine sent something else than descriptors");
    count = (head->cmsg_len - sizeof(*head)) / sizeof(int);
    if (count != 2 || (packet->msg_flags & MSG_CTRUNC) != 0)
        return fail(c, -EPROTO, "the engine sent a wrong number of descriptors");
    memcpy(fds, data, count * sizeof(int));
    error = slot_put(c, SLOT_STATE_CREATING, fds[0]);
    return error < 0 ? error : slot_put(c, SLOT_STATE_CREATED, fds[1]);
}

/* Waits for `go` on the socket. Ends the init when the engine is gone. */
static int await_go(struct context *c, int sync) {
    struct go go;
    struct passed passed;
    struct iovec part = {.iov_base = &go, .iov_len = sizeof(go)};
    struct msghdr packet;
    long size;

    do {
        packet = (struct msghdr){
            .msg_iov = &part,
            .msg_iovlen = 1,
            .msg_control = &passed,
            .msg_controllen = sizeof(passed),
        };
        size = sys_recvmsg(sync, &packet, MSG_CMSG_CLOEXEC);
    } while (size == -EINTR);
    if (size == 0 || size == -ECONNRESET)
        sys_exit(1);
    if (size < 0)
        return fail(c, (int)size, "recvmsg");
    if (size != sizeof(go) || (packet.msg_flags & MSG_TRUNC) != 0 || go.type != MESSAGE_GO)
        return fail(c, -EPROTO, "the engine sent something else than 'go'");
    return take_passed(c, &packet);
}

/* Waits for `go` on a pipe, which carries no descriptors. */
static int await_piped_go(struct context *c) {
    struct go go;
    long size;

    do
        size = sys_read(c->go, &go, sizeof(go));
    while (size == -EINTR);
    if (size == 0)
        sys_exit(1);
    if (size < 0)
        return fail(c, (int)size, "read");
    return size == sizeof(go) && go.type == MESSAGE_GO
               ? 0
               : fail(c, -EPROTO, "the engine sent something else than 'go'");
}

int await_engine(struct context *c) {
    if (c->go < 0)
        return fail(c, -EBADF, "there is no engine");
    return c->pipes ? await_piped_go(c) : await_go(c, c->go);
}

int run_sync(struct context *c, const struct op_sync *o) {
    int error = send_message(c, MESSAGE_SYNC, 0, o->point, NULL, 0);
    if (error == -EPIPE || error == -ECONNRESET)
        sys_exit(1);
    if (error < 0)
        return fail(c, error, "sendmsg");
    error = await_engine(c);
    if (error < 0 || o->point != SYNC_SETUP)
        return error;
    /*
     * Until now an unprivileged engine had to open our uid_map. From now on no process of the
     * container may trace this one, which has descriptors of the host. (proc.c says which files of
     * ours this closes to us.)
     */
    error = sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    return error < 0 ? fail(c, error, "PR_SET_DUMPABLE") : 0;
}

/*
 * The init of `create` waits here, usually after the engine of `create` has ended. Whoever can
 * connect can start the container; the folder of the socket decides who.
 */
int run_wait_start(struct context *c, const struct op_wait_start *o) {
    int error, connection, listener = slot_get(c, SLOT_START);

    (void)o;
    if (listener < 0)
        return listener;
    error = send_message(c, MESSAGE_WAITING, 0, 0, NULL, 0);
    /* The engine was killed after its last `go`, and has not reported that the container exists. */
    if (error == -EPIPE || error == -ECONNRESET)
        sys_exit(1);
    if (error < 0)
        return fail(c, error, "sendmsg");
    slot_close(c, SLOT_SYNC);
    if (c->pipes) {
        sys_close(c->channel);
        sys_close(c->go);
    }
    c->pipes = false;
    c->channel = -1;
    c->go = -1;

    do
        connection = sys_accept4(listener, SOCK_CLOEXEC);
    while (connection == -EINTR || connection == -ECONNABORTED);
    if (connection < 0)
        return fail(c, connection, "accept");
    slot_close(c, SLOT_START);
    c->channel = connection;
    return 0;
}

/* Sends the engine its ends of both pipes. */
static int send_pipes(struct context *c, int from_us, int to_us) {
    struct {
        uint32_t type, op;
        int32_t error;
        uint32_t value;
    } header = {.type = MESSAGE_PIPES, .op = c->op};
    struct {
        struct cmsghdr header;
        int fds[2];
    } control = {
        .header = {.cmsg_len = sizeof(struct cmsghdr) + 2 * sizeof(int),
                   .cmsg_level = SOL_SOCKET,
                   .cmsg_type = SCM_RIGHTS},
        .fds = {from_us, to_us},
    };
    struct iovec part = {.iov_base = &header, .iov_len = sizeof(header)};
    struct msghdr packet = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };
    long sent;

    do
        sent = sys_sendmsg(c->channel, &packet, MSG_NOSIGNAL);
    while (sent == -EINTR);
    return sent < 0 ? (int)sent : 0;
}

/*
 * The holder of a socket can ask the kernel for the process at its other end (SO_PEERPIDFD,
 * SCM_PIDFD; unix(7)), in whatever pid namespace it is, and with CAP_SYS_PTRACE take its
 * descriptors (pidfd_getfd(2)). A pipe does not tell. With O_DIRECT it keeps messages apart.
 */
int run_use_pipes(struct context *c, const struct op_use_pipes *o) {
    int up[2], down[2];
    int error = sys_pipe2(up, O_CLOEXEC | O_DIRECT);

    (void)o;
    if (error < 0)
        return fail(c, error, "pipe");
    error = sys_pipe2(down, O_CLOEXEC | O_DIRECT);
    if (error < 0) {
        sys_close(up[0]);
        sys_close(up[1]);
        return fail(c, error, "pipe");
    }
    error = send_pipes(c, up[0], down[1]);
    sys_close(up[0]);
    sys_close(down[1]);
    if (error == -EPIPE || error == -ECONNRESET)
        sys_exit(1);
    if (error < 0) {
        sys_close(up[1]);
        sys_close(down[0]);
        return fail(c, error, "sendmsg");
    }
    slot_close(c, SLOT_SYNC);
    c->channel = up[1];
    c->go = down[0];
    c->pipes = true;
    return 0;
}

/*
 * The init calls listen(2) itself: a socket also names the process that listens, which must not be
 * the engine.
 */
int run_listen(struct context *c, const struct op_listen *o) {
    int error, fd = slot_get(c, SLOT_START);

    (void)o;
    if (fd < 0)
        return fd;
    error = sys_listen(fd, 1);
    return error < 0 ? fail(c, error, "listen") : 0;
}
