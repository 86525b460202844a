/*
 * Receives the descriptor a runtime sends to a console or pidfd socket, and says what it got:
 *   payload NAME
 *   link LINK of /proc/self/fd
 *   pid N from its fdinfo (a pidfd)
 * A terminal is then copied from and to our own stdio until its other end is closed.
 *
 *   recvfd SOCKET     makes the socket at that path, says "listening", takes one connection
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void die(const char *what) {
    fprintf(stderr, "recvfd: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int listen_at(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        die("socket");
    if (strlen(path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        die(path);
    }
    strcpy(address.sun_path, path);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        die("bind");
    if (listen(fd, 1) < 0)
        die("listen");
    return fd;
}

static int receive(int connection, char *payload, size_t size) {
    char control[CMSG_SPACE(4 * sizeof(int))];
    struct iovec data = {.iov_base = payload, .iov_len = size - 1};
    struct msghdr message = {
        .msg_iov = &data,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = sizeof(control),
    };
    ssize_t length = recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
    if (length < 0)
        die("recvmsg");
    payload[length] = '\0';
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header == NULL || header->cmsg_type != SCM_RIGHTS) {
        errno = EBADMSG;
        die("no descriptor");
    }
    if (header->cmsg_len != CMSG_LEN(sizeof(int)) || CMSG_NXTHDR(&message, header) != NULL) {
        errno = EBADMSG;
        die("more than one descriptor");
    }
    int fd;
    memcpy(&fd, CMSG_DATA(header), sizeof(fd));
    return fd;
}

static void describe(int fd, const char *payload) {
    char path[64];
    char text[4096];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    ssize_t length = readlink(path, text, sizeof(text) - 1);
    if (length < 0)
        die("readlink");
    text[length] = '\0';
    printf("payload %s\nlink %s\n", payload, text);
    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
    FILE *info = fopen(path, "re");
    if (info == NULL)
        die("fdinfo");
    while (fgets(text, sizeof(text), info) != NULL) {
        int pid;
        if (sscanf(text, "Pid: %d", &pid) == 1)
            printf("pid %d\n", pid);
    }
    fclose(info);
    fflush(stdout);
}

/* Copies once; 0 at the end of the source. */
static int copy(int from, int to) {
    char buffer[4096];
    ssize_t length = read(from, buffer, sizeof(buffer));
    if (length <= 0)
        return 0;
    if (write(to, buffer, (size_t)length) != length)
        die("write");
    return 1;
}

static void talk(int terminal) {
    struct pollfd waits[2] = {{.fd = terminal, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
    for (;;) {
        if (poll(waits, 2, -1) < 0)
            die("poll");
        /* EIO: the last process has closed the terminal. */
        if (waits[0].revents != 0 && !copy(terminal, 1))
            return;
        if (waits[1].revents != 0 && !copy(0, terminal))
            waits[1].fd = -1;
    }
}

int main(int argc, char **argv) {
    char payload[4097];
    if (argc != 2) {
        fprintf(stderr, "usage: recvfd SOCKET\n");
        return 2;
    }
    int listening = listen_at(argv[1]);
    printf("listening\n");
    fflush(stdout);
    int connection = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    if (connection < 0)
        die("accept");
    int fd = receive(connection, payload, sizeof(payload));
    describe(fd, payload);
    if (isatty(fd))
        talk(fd);
    return 0;
}
