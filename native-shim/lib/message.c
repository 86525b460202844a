/* Packets with descriptors (unix(7), SCM_RIGHTS). */
#include "tsrun.h"
#include "internal.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* Room for the descriptors of one message, aligned as CMSG_FIRSTHDR expects it. */
union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(TSRUN_MESSAGE_FDS * sizeof(int))];
};

static int send_with(int sock, const void *bytes, size_t size, const int32_t *fds,
                     unsigned int nfds) {
    union control control = {0};
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (nfds > TSRUN_MESSAGE_FDS)
        return -EINVAL;
    if (nfds > 0) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(nfds * sizeof(int));
        memcpy(CMSG_DATA(header), fds, nfds * sizeof(int));
    }
    ssize_t sent;
    do {
        sent = sendmsg(sock, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return -errno;
    return (size_t)sent == size ? 0 : -EMSGSIZE;
}

/*
 * One message and its descriptors, which are closed again when the message does not fit. Bytes
 * received, or -errno; -EPROTO for a message that was cut.
 */
static int receive_with(int sock, void *bytes, size_t size, int *fds, unsigned int *nfds) {
    union control control = {0};
    struct iovec part = {.iov_base = bytes, .iov_len = size};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof control.bytes,
    };
    *nfds = 0;
    bool reset = false;
    ssize_t got;
    for (;;) {
        got = recvmsg(sock, &message, MSG_CMSG_CLOEXEC);
        if (got >= 0)
            break;
        /*
         * A peer that closes without having read all resets the connection, which is told once and
         * before the packets it has sent: its last words come after the error.
         */
        if (errno == ECONNRESET && !reset)
            reset = true;
        else if (errno != EINTR)
            return -errno;
    }
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
            if (*nfds < TSRUN_MESSAGE_FDS)
                fds[(*nfds)++] = fd;
            else
                close(fd);
        }
    }
    if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        for (unsigned int i = 0; i < *nfds; i++)
            close(fds[i]);
        *nfds = 0;
        return -EPROTO;
    }
    return (int)got;
}

/* A pipe in packet mode (O_DIRECT, pipe(2)) has the messages, too, but carries no descriptors. */
static int write_packet(int fd, const void *packet, size_t size) {
    ssize_t written;
    do {
        written = write(fd, packet, size);
    } while (written < 0 && errno == EINTR);
    if (written < 0)
        return -errno;
    return (size_t)written == size ? 0 : -EMSGSIZE;
}

static int read_packet(int fd, void *packet, size_t size) {
    ssize_t got;
    do {
        got = read(fd, packet, size);
    } while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : (int)got;
}

int tsrun_send(int sock, const void *packet, unsigned int size, const int32_t *fds,
               unsigned int nfds) {
    int result = send_with(sock, packet, size, fds, nfds);
    return result == -ENOTSOCK && nfds == 0 ? write_packet(sock, packet, size) : result;
}

int tsrun_receive(int sock, void *packet, unsigned int size, int32_t *out, int timeout_ms) {
    int fds[TSRUN_MESSAGE_FDS];
    unsigned int nfds = 0;
    out[0] = 0;
    if (timeout_ms >= 0) {
        int ready = poll_one(sock, POLLIN, timeout_ms);
        if (ready <= 0)
            return ready < 0 ? ready : -ETIMEDOUT;
    }
    int got = receive_with(sock, packet, size, fds, &nfds);
    if (got == -ENOTSOCK)
        got = read_packet(sock, packet, size);
    for (unsigned int i = 0; i < nfds; i++) {
        if (got > 0)
            out[1 + i] = fds[i];
        else
            close(fds[i]);
    }
    out[0] = got > 0 ? (int32_t)nfds : 0;
    return got;
}

int tsrun_send_descriptor(int sock, const void *payload, unsigned int size, int fd) {
    const int32_t fds[1] = {fd};
    return send_with(sock, payload, size, fds, 1);
}

int tsrun_receive_descriptor(int sock, void *payload, unsigned int size, int32_t *out) {
    int fds[TSRUN_MESSAGE_FDS];
    unsigned int nfds = 0;
    out[0] = -1;
    int got = receive_with(sock, payload, size, fds, &nfds);
    if (got < 0)
        return got;
    if (nfds != 1) {
        for (unsigned int i = 0; i < nfds; i++)
            close(fds[i]);
        return -EPROTO;
    }
    out[0] = fds[0];
    return got;
}
