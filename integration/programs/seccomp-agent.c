/*
 * A seccomp agent: seccomp-agent SOCKET ERRNO. Listens on SOCKET, takes one message with one
 * descriptor, prints its payload and a newline, and then answers what the filter notifies of:
 * mkdir(2) fails with ERRNO, everything else goes on. Ends with the filtered processes.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define PAYLOAD_SIZE (1 << 20)

static int fail(const char *what) {
    perror(what);
    return 1;
}

static int listen_on(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int sock = socket(AF_UNIX, SOCK_STREAM, 0);

    if (sock < 0 || strlen(path) >= sizeof(address.sun_path))
        return -1;
    strcpy(address.sun_path, path);
    if (bind(sock, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(sock, 1) < 0)
        return -1;
    return sock;
}

/*
 * Prints the payload, one JSON object; the descriptor comes with its first part. Not to the end of
 * the connection, which some runtimes keep open.
 */
static int receive(int connection) {
    static char payload[PAYLOAD_SIZE];
    int depth = 0;
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(4 * sizeof(int))];
    } control;
    int listener = -1;

    for (;;) {
        struct iovec part = {.iov_base = payload, .iov_len = sizeof(payload)};
        struct msghdr message = {.msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = &control,
                                 .msg_controllen = sizeof(control)};
        ssize_t size = recvmsg(connection, &message, 0);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);

        if (size < 0)
            return -1;
        if (header != NULL && header->cmsg_type == SCM_RIGHTS)
            memcpy(&listener, CMSG_DATA(header), sizeof(listener));
        fwrite(payload, 1, (size_t)size, stdout);
        for (ssize_t i = 0; i < size; i++)
            depth += (payload[i] == '{') - (payload[i] == '}');
        if (size == 0 || depth == 0)
            break;
    }
    putchar('\n');
    fflush(stdout);
    return listener;
}

static int answer(int listener, int error) {
    for (;;) {
        struct pollfd waiting = {.fd = listener, .events = POLLIN};
        struct seccomp_notif call = {0};
        struct seccomp_notif_resp reply = {0};

        if (poll(&waiting, 1, -1) < 0 || (waiting.revents & POLLIN) == 0)
            return 0;
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0) {
            if (errno == ENOENT || errno == EINTR)
                continue;
            return fail("receive a notification");
        }
        reply.id = call.id;
        if (call.data.nr == SYS_mkdir || call.data.nr == SYS_mkdirat)
            reply.error = -error;
        else
            reply.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply) < 0 && errno != ENOENT)
            return fail("answer a notification");
    }
}

int main(int argc, char **argv) {
    int sock, connection, listener;

    if (argc != 3)
        return 2;
    sock = listen_on(argv[1]);
    if (sock < 0)
        return fail("listen");
    connection = accept(sock, NULL, NULL);
    if (connection < 0)
        return fail("accept");
    listener = receive(connection);
    close(connection);
    if (listener < 0)
        return fail("receive a descriptor");
    return answer(listener, atoi(argv[2]));
}
