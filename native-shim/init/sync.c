/* Meeting the engine, and `start`. */
#include "init.h"

/*
 * Room for the two descriptors that `go` may carry, and for a third that shows it carried too many.
 */
#define MAX_PASSED 3

struct go {
    uint32_t type;
    uint32_t rest[3];
};

struct passed {
    _Alignas(struct cmsghdr) unsigned char bytes[sizeof(struct cmsghdr) + MAX_PASSED * sizeof(int)];
};

/*
 * Puts the descriptors that came with a `go` into their slots; anything but none or two is an
 * error.
 */
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

/*
 * Waits for `go`. When the engine is gone there is nobody to work for, or to tell: the init ends.
 */
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

int await_engine(struct context *c) {
    int sync = slot_get(c, SLOT_SYNC);

    return sync < 0 ? sync : await_go(c, sync);
}

int run_sync(struct context *c, const struct op_sync *o) {
    int error, sync = slot_get(c, SLOT_SYNC);

    if (sync < 0)
        return sync;
    error = send_message(c, MESSAGE_SYNC, 0, o->point, NULL, 0);
    if (error == -EPIPE || error == -ECONNRESET)
        sys_exit(1);
    if (error < 0)
        return fail(c, error, "sendmsg");
    error = await_go(c, sync);
    if (error < 0 || o->point != SYNC_SETUP)
        return error;
    /*
     * Up to here an unprivileged engine had to open our uid_map. From here on nobody of the
     * container may attach to this process, which holds descriptors of the host (proc.c says which
     * files of ours that takes from us).
     */
    error = sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    return error < 0 ? fail(c, error, "PR_SET_DUMPABLE") : 0;
}

/*
 * `create` ends here: its process may be gone long before `start` connects. Whoever may connect may
 * start the container; the folder of the socket decides that.
 */
int run_wait_start(struct context *c, const struct op_wait_start *o) {
    int error, connection, listener = slot_get(c, SLOT_START);

    (void)o;
    if (listener < 0)
        return listener;
    error = send_message(c, MESSAGE_WAITING, 0, 0, NULL, 0);
    /* Killed between its last `go` and here, the engine has not said that the container exists. */
    if (error == -EPIPE || error == -ECONNRESET)
        sys_exit(1);
    if (error < 0)
        return fail(c, error, "sendmsg");
    c->channel = -1;
    slot_close(c, SLOT_SYNC);

    do
        connection = sys_accept4(listener, SOCK_CLOEXEC);
    while (connection == -EINTR || connection == -ECONNABORTED);
    if (connection < 0)
        return fail(c, connection, "accept");
    slot_close(c, SLOT_START);
    c->channel = connection;
    return 0;
}
