/*
 * The datagrams of sd_notify(3), from a container's socket to that of the service manager. The
 * container is not trusted: only the line READY=… is forwarded, and descriptors that it sends are
 * never received.
 */
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* What service managers read at most. */
#define NOTIFY_BYTES 4096

/* The first line READY=… of a message, or NULL; `*length` without its end. */
static const char *find_ready(const char *message, size_t size, size_t *length) {
    static const char ready[] = "READY=";
    const char *line = message;
    const char *end = message + size;

    while (line < end) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));

        *length = (size_t)((newline == NULL ? end : newline) - line);
        if (*length >= sizeof(ready) - 1 && memcmp(line, ready, sizeof(ready) - 1) == 0)
            return line;
        line += *length + 1;
    }
    return NULL;
}

/* 1: the container said READY=…, and the manager has been told. 0: it did not. */
int tsrun_forward_ready(int container, int manager, int pid) {
    char message[NOTIFY_BYTES];
    char forwarded[NOTIFY_BYTES + 32];
    const char *ready;
    size_t length = 0;
    ssize_t sent, got = recv(container, message, sizeof(message), MSG_DONTWAIT);
    int size;

    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    ready = find_ready(message, (size_t)got, &length);
    if (ready == NULL)
        return 0;
    /* One message: the manager must not take the end of tsrun for the end of its service. */
    size = snprintf(forwarded, sizeof(forwarded), "MAINPID=%d\n%.*s\n", pid, (int)length, ready);
    if (size < 0 || (size_t)size >= sizeof(forwarded))
        return -EMSGSIZE;
    do
        sent = send(manager, forwarded, (size_t)size, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 1;
}
