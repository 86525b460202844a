/*
 * Unix sockets by name. A path in a sockaddr_un has 108 bytes, less than many a state folder: so
 * the kernel is given /proc/self/fd/N, where N is the socket's own inode, or its folder when the
 * socket is yet to be made.
 */
#include "tsrun.h"
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long the owner of a socket we send to may take to accept and to read. */
#define RECEIVER_TIMEOUT_SECONDS 30

static bool is_plain_name(const char *name) {
    return name[0] != '\0' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
           strchr(name, '/') == NULL;
}

/* /proc/self/fd/FD[/NAME] as a socket address. */
static int address_of(struct sockaddr_un *address, int fd, const char *name) {
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    int length = snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d%s%s", fd,
                          name == NULL ? "" : "/", name == NULL ? "" : name);
    if (length < 0 || (size_t)length >= sizeof address->sun_path)
        return -ENAMETOOLONG;
    return 0;
}

/* A unix socket's connect is not under way after EINTR, as a TCP one would be: it is tried again.
 */
static int connect_now(int sock, int inode, const struct sockaddr_un *address) {
    int result;
    (void)inode;
    do {
        result = connect(sock, (const struct sockaddr *)address, sizeof *address) < 0 ? -errno : 0;
    } while (result == -EINTR);
    return result;
}

#define CONNECTOR_STACK 16384

struct connector {
    int sock;
    int inode;
    const struct sockaddr_un *address;
    volatile int result;
};

static int close_all_but(unsigned int low, unsigned int high) {
    if (low > high)
        return close_all_but(high, low);
    if ((low > 0 && syscall(SYS_close_range, 0u, low - 1, 0) < 0) ||
        (high > low + 1 && syscall(SYS_close_range, low + 1, high - 1, 0) < 0) ||
        syscall(SYS_close_range, high + 1, ~0u, 0) < 0)
        return -errno;
    return 0;
}

static int run_connector(void *argument) {
    struct connector *c = argument;
    c->result = close_all_but((unsigned int)c->sock, (unsigned int)c->inode);
    if (c->result == 0)
        c->result = connect_now(c->sock, c->inode, c->address);
    return 0;
}

/*
 * By a child that has nothing open but the two descriptors, and has ended when this returns. Who
 * accepts the connection can ask for the process that has made it (SO_PEERPIDFD, unix(7)), and may
 * be an attacker who could take descriptors from it.
 */
static int connect_by_child(int sock, int inode, const struct sockaddr_un *address) {
    _Alignas(16) char stack[CONNECTOR_STACK];
    struct connector connector = {sock, inode, address, -ECHILD};
    sigset_t all, before;
    int status;
    /* No signal handler of the engine may run in the child, on the engine's own data. */
    sigfillset(&all);
    if (sigprocmask(SIG_SETMASK, &all, &before) < 0)
        return -errno;
    int pid = clone(run_connector, stack + sizeof stack, CLONE_VM | CLONE_VFORK, &connector);
    int result = pid < 0 ? -errno : 0;
    while (pid > 0 && waitpid(pid, &status, __WALL) < 0 && errno == EINTR)
        ;
    sigprocmask(SIG_SETMASK, &before, NULL);
    return result < 0 ? result : connector.result;
}

typedef int connect_function(int sock, int inode, const struct sockaddr_un *address);

/* Connects a new socket of `type` to the socket file `path` below `dir`. `flags`: more O_* for its
 * lookup. */
static int connect_at(int dir, const char *path, int type, int flags, int timeout_seconds,
                      connect_function *connect_it) {
    struct sockaddr_un address;
    struct stat status;
    int result;
    int sock = -1;
    int inode = openat(dir, path, O_PATH | O_CLOEXEC | flags);
    if (inode < 0)
        return -errno;
    if (fstat(inode, &status) < 0) {
        result = -errno;
        goto out;
    }
    if (!S_ISSOCK(status.st_mode)) {
        result = -ENOTSOCK;
        goto out;
    }
    result = address_of(&address, inode, NULL);
    if (result < 0)
        goto out;
    sock = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (sock < 0) {
        result = -errno;
        goto out;
    }
    if (timeout_seconds > 0) {
        const struct timeval limit = {.tv_sec = timeout_seconds};
        if (setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0) {
            result = -errno;
            goto out;
        }
    }
    result = connect_it(sock, inode, &address);

out:
    close(inode);
    if (result < 0) {
        if (sock >= 0)
            close(sock);
        return result;
    }
    return sock;
}

int tsrun_socketpair(int32_t *out) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    out[0] = pair[0];
    out[1] = pair[1];
    return 0;
}

/* A new socket of `type`, bound to the new file `name` of mode `mode` in the folder `dir`. */
static int bind_in(const char *dir, const char *name, int type, mode_t mode) {
    struct sockaddr_un address;
    int result;
    int sock = -1;
    if (!is_plain_name(name))
        return -EINVAL;
    int folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -errno;
    result = address_of(&address, folder, name);
    if (result < 0)
        goto out;
    sock = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    /* bind makes the file with the mode of the unbound socket, but for our umask. */
    if (sock < 0 || fchmod(sock, mode) < 0 ||
        bind(sock, (const struct sockaddr *)&address, sizeof address) < 0 ||
        fchmodat(folder, name, mode, 0) < 0)
        result = -errno;

out:
    close(folder);
    if (result < 0) {
        if (sock >= 0)
            close(sock);
        return result;
    }
    return sock;
}

int tsrun_listen(const char *dir, const char *name) {
    int sock = bind_in(dir, name, SOCK_SEQPACKET, 0600);
    if (sock >= 0 && listen(sock, 16) < 0) {
        int result = -errno;
        close(sock);
        return result;
    }
    return sock;
}

int tsrun_bind(const char *dir, const char *name) {
    return bind_in(dir, name, SOCK_SEQPACKET, 0600);
}

int tsrun_connect(const char *dir, const char *name) {
    if (!is_plain_name(name))
        return -EINVAL;
    int folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -errno;
    int result = connect_at(folder, name, SOCK_SEQPACKET, O_NOFOLLOW, RECEIVER_TIMEOUT_SECONDS,
                            connect_by_child);
    close(folder);
    return result;
}

/* Whoever sees it may send. */
int tsrun_bind_datagram(const char *dir, const char *name) {
    return bind_in(dir, name, SOCK_DGRAM, 0777);
}

/* An abstract name (unix(7)), without its leading NUL. */
static int connect_abstract(const char *name, int type, int timeout_seconds) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timeval limit = {.tv_sec = timeout_seconds};
    size_t length = strlen(name);
    if (length == 0)
        return -EINVAL;
    if (length >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    memcpy(address.sun_path + 1, name, length);
    int sock = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (sock < 0)
        return -errno;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
    if (setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0 ||
        connect(sock, (const struct sockaddr *)&address, size) < 0) {
        int result = -errno;
        close(sock);
        return result;
    }
    return sock;
}

int tsrun_connect_datagram(const char *path) {
    if (path[0] == '@')
        return connect_abstract(path + 1, SOCK_DGRAM, RECEIVER_TIMEOUT_SECONDS);
    return connect_at(AT_FDCWD, path, SOCK_DGRAM, 0, RECEIVER_TIMEOUT_SECONDS, connect_now);
}

int tsrun_connect_stream(const char *path) {
    return connect_at(AT_FDCWD, path, SOCK_STREAM, 0, RECEIVER_TIMEOUT_SECONDS, connect_now);
}

int tsrun_accept(int listener, int timeout_ms) {
    for (;;) {
        if (timeout_ms >= 0) {
            int ready = poll_one(listener, POLLIN, timeout_ms);
            if (ready <= 0)
                return ready < 0 ? ready : -ETIMEDOUT;
        }
        int sock = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (sock >= 0)
            return sock;
        if (errno != EINTR && errno != ECONNABORTED)
            return -errno;
    }
}
