/*
 * Both ends of sd_notify(3).
 *
 *   sdnotify manage SOCKET       makes the socket at that path (@name: abstract), says "listening",
 * then `got TEXT` for each datagram, with | for a newline, and `with N` for its descriptors. Each
 * lot of them is closed once a line comes on stdin (its end counts as many lines). sdnotify say [-s
 * N] TEXT...  sends each text to $NOTIFY_SOCKET as one datagram; -s: padded to N bytes
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MESSAGE_BYTES 65536

static void die(const char *what) {
    fprintf(stderr, "sdnotify: %s: %s\n", what, strerror(errno));
    exit(1);
}

static socklen_t address_of(struct sockaddr_un *address, const char *path) {
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length >= sizeof(address->sun_path)) {
        errno = ENAMETOOLONG;
        die(path);
    }
    memcpy(address->sun_path, path, length);
    if (path[0] == '@')
        address->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (path[0] != '@'));
}

static int make_socket(void) {
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        die("socket");
    return fd;
}

static void await_line(void) {
    char byte;
    while (read(STDIN_FILENO, &byte, 1) == 1 && byte != '\n')
        ;
}

static void take(int sock) {
    static char text[MESSAGE_BYTES];
    char control[CMSG_SPACE(16 * sizeof(int))];
    struct iovec data = {.iov_base = text, .iov_len = sizeof(text)};
    struct msghdr message = {
        .msg_iov = &data,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = sizeof(control),
    };
    ssize_t length = recvmsg(sock, &message, MSG_CMSG_CLOEXEC);
    if (length < 0)
        die("recvmsg");
    for (ssize_t i = 0; i < length; i++)
        text[i] = text[i] == '\n' ? '|' : text[i];
    printf("got %.*s\n", (int)length, text);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header != NULL && header->cmsg_type == SCM_RIGHTS) {
        int fds[16];
        size_t size = header->cmsg_len - CMSG_LEN(0);
        memcpy(fds, CMSG_DATA(header), size);
        printf("with %zu\n", size / sizeof(int));
        fflush(stdout);
        await_line();
        for (size_t i = 0; i < size / sizeof(int); i++)
            close(fds[i]);
    }
    fflush(stdout);
}

static _Noreturn void manage(const char *path) {
    struct sockaddr_un address;
    socklen_t size = address_of(&address, path);
    int sock = make_socket();
    if (bind(sock, (struct sockaddr *)&address, size) < 0)
        die(path);
    printf("listening\n");
    fflush(stdout);
    for (;;)
        take(sock);
}

static int say(char **texts) {
    static char padded[MESSAGE_BYTES];
    struct sockaddr_un address;
    const char *path = getenv("NOTIFY_SOCKET");
    size_t least = 0;
    if (path == NULL) {
        errno = ENOENT;
        die("NOTIFY_SOCKET");
    }
    if (texts[0] != NULL && strcmp(texts[0], "-s") == 0 && texts[1] != NULL) {
        least = strtoul(texts[1], NULL, 10);
        texts += 2;
    }
    socklen_t size = address_of(&address, path);
    int sock = make_socket();
    for (; *texts != NULL; texts++) {
        size_t length = strlen(*texts);
        if (length > sizeof(padded) || least > sizeof(padded)) {
            errno = EMSGSIZE;
            die("text");
        }
        memset(padded, 'x', sizeof(padded));
        memcpy(padded, *texts, length);
        if (sendto(sock, padded, length < least ? least : length, 0, (struct sockaddr *)&address,
                   size) < 0)
            die(path);
    }
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "manage") == 0)
        manage(argv[2]);
    if (argc >= 3 && strcmp(argv[1], "say") == 0)
        return say(argv + 2);
    fprintf(stderr, "usage: sdnotify manage SOCKET | say [-s N] TEXT...\n");
    return 2;
}
