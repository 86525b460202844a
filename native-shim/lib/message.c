/* Packets with descriptors (unix(7), SCM_RIGHTS). */
#include "internal.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* Room for the descriptors of one message, aligned as CMSG_FIRSTHDR expects it. */
union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(MAX_MESSAGE_FDS * sizeof(int))];
};

static int send_with(int sock, const void *bytes, size_t size, const int32_t *fds,
                     unsigned int fd_count) {
    union control control = {0};
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t sent;

    if (fd_count > MAX_MESSAGE_FDS)
        return -EINVAL;
    if (fd_count > 0) {
        struct cmsghdr *header;

        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        memcpy(CMSG_DATA(header), fds, fd_count * sizeof(int));
    }
    do
        sent = sendmsg(sock, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return -errno;
    return (size_t)sent == size ? 0 : -EMSGSIZE;
}

static void close_all(const int *fds, unsigned int count) {
    for (unsigned int i = 0; i < count; i++)
        close(fds[i]);
}

/* The descriptors of a received message; those that `fds` has no room for are closed. */
static unsigned int take_descriptors(struct msghdr *message, int fds[MAX_MESSAGE_FDS]) {
    unsigned int taken = 0;

    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL;
         header = CMSG_NXTHDR(message, header)) {
        size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < count; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(header) + i * sizeof(fd), sizeof(fd));
            if (taken < MAX_MESSAGE_FDS)
                fds[taken++] = fd;
            else
                close(fd);
        }
    }
    return taken;
}

/*
 * Receives one message and its descriptors. Returns its size; -EPROTO for a message that was cut,
 * whose descriptors are closed.
 */
static int receive_with(int sock, void *bytes, size_t size, int *fds, unsigned int *fd_count) {
    union control control = {0};
    struct iovec part = {.iov_base = bytes, .iov_len = size};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control.bytes),
    };
    bool reset = false;
    ssize_t got;

    *fd_count = 0;
    while ((got = recvmsg(sock, &message, MSG_CMSG_CLOEXEC)) < 0) {
        /*
         * A peer that closes with unread data resets the connection. The kernel reports that once,
         * before the packets that the peer has sent.
         */
        if (errno == ECONNRESET && !reset)
            reset = true;
        else if (errno != EINTR)
            return -errno;
    }
    *fd_count = take_descriptors(&message, fds);
    if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        close_all(fds, *fd_count);
        *fd_count = 0;
        return -EPROTO;
    }
    return (int)got;
}

/* A pipe in packet mode (O_DIRECT, pipe(2)) keeps messages apart, too, but carries no descriptors.
 */
static int write_packet(int fd, const void *packet, size_t size) {
    ssize_t written;

    do
        written = write(fd, packet, size);
    while (written < 0 && errno == EINTR);
    if (written < 0)
        return -errno;
    return (size_t)written == size ? 0 : -EMSGSIZE;
}

static int read_packet(int fd, void *packet, size_t size) {
    ssize_t got;

    do
        got = read(fd, packet, size);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : (int)got;
}

int tsrun_send(int sock, const void *packet, unsigned int size, const int32_t *fds,
               unsigned int fd_count) {
    int result = send_with(sock, packet, size, fds, fd_count);

    return result == -ENOTSOCK && fd_count == 0 ? write_packet(sock, packet, size) : result;
}

/*
 * Bytes received; 0: the peer has closed. `out`: the number of descriptors, then each of at most
 * MAX_MESSAGE_FDS.
 */
int tsrun_receive(int sock, void *packet, unsigned int size, int32_t *out, int timeout_ms) {
    int fds[MAX_MESSAGE_FDS];
    unsigned int fd_count = 0;
    int got;

    out[0] = 0;
    if (timeout_ms >= 0) {
        int ready = poll_one(sock, POLLIN, timeout_ms);

        if (ready <= 0)
            return ready < 0 ? ready : -ETIMEDOUT;
    }
    got = receive_with(sock, packet, size, fds, &fd_count);
    if (got == -ENOTSOCK)
        got = read_packet(sock, packet, size);
    if (got <= 0) {
        close_all(fds, fd_count);
        return got;
    }
    out[0] = (int32_t)fd_count;
    memcpy(out + 1, fds, fd_count * sizeof(*fds));
    return got;
}

int tsrun_send_descriptor(int sock, const void *payload, unsigned int size, int fd) {
    const int32_t fds[1] = {fd};

    return send_with(sock, payload, size, fds, 1);
}

/* Bytes of payload received. `out`: the descriptor. */
int tsrun_receive_descriptor(int sock, void *payload, unsigned int size, int32_t *out) {
    int fds[MAX_MESSAGE_FDS];
    unsigned int fd_count = 0;
    int got = receive_with(sock, payload, size, fds, &fd_count);

    out[0] = -1;
    if (got < 0)
        return got;
    if (fd_count != 1) {
        close_all(fds, fd_count);
        return -EPROTO;
    }
    out[0] = fds[0];
    return got;
}
