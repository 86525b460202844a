/*
 * Unix sockets by name. A sockaddr_un has room for 108 bytes, fewer than the path of many a state
 * folder. So the kernel gets /proc/self/fd/N, where N is the socket's own inode, or its folder when
 * the socket does not exist yet.
 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

/* How long the owner of a socket we send to may take to accept and to read. */
#define RECEIVER_TIMEOUT_SECONDS 30

static bool is_plain_name(const char *name) {
    return name[0] != '\0' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
           strchr(name, '/') == NULL;
}

/* /proc/self/fd/FD[/NAME] as a socket address. */
static int address_of(struct sockaddr_un *address, int fd, const char *name) {
    int length;

    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    length = snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d%s%s", fd,
                      name == NULL ? "" : "/", name == NULL ? "" : name);
    return length < 0 || (size_t)length >= sizeof(address->sun_path) ? -ENAMETOOLONG : 0;
}

/* A new socket on which a send waits no longer than RECEIVER_TIMEOUT_SECONDS. */
static int make_sender(int type) {
    const struct timeval limit = {.tv_sec = RECEIVER_TIMEOUT_SECONDS};
    cleanup_close int sock = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

    if (sock < 0 || setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
        return -errno;
    return take_fd(&sock);
}

/* After EINTR connect(2) of a unix socket can be tried again, other than that of a TCP socket. */
static int connect_now(int sock, int inode, const struct sockaddr_un *address) {
    int result;

    (void)inode;
    do
        result = connect(sock, (const struct sockaddr *)address, sizeof(*address)) < 0 ? -errno : 0;
    while (result == -EINTR);
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
 * Connects by a child that has nothing open but the two descriptors, and has ended when this
 * returns. The process that accepts can get the process that has connected (SO_PEERPIDFD, unix(7)),
 * and an attacker could take descriptors from it.
 */
static int connect_by_child(int sock, int inode, const struct sockaddr_un *address) {
    _Alignas(16) char stack[CONNECTOR_STACK];
    struct connector connector = {sock, inode, address, -ECHILD};
    sigset_t all, before;
    int status, pid, result;

    /* No signal handler of the engine may run in the child, which shares our memory. */
    sigfillset(&all);
    if (sigprocmask(SIG_SETMASK, &all, &before) < 0)
        return -errno;
    pid = clone(run_connector, stack + sizeof(stack), CLONE_VM | CLONE_VFORK, &connector);
    result = pid < 0 ? -errno : 0;
    while (pid > 0 && waitpid(pid, &status, __WALL) < 0 && errno == EINTR)
        ;
    sigprocmask(SIG_SETMASK, &before, NULL);
    return result < 0 ? result : connector.result;
}

typedef int connect_function(int sock, int inode, const struct sockaddr_un *address);

/*
 * Connects a new socket of `type` to the socket file `path` below `dir`. `flags`: more O_* for its
 * lookup.
 */
static int connect_at(int dir, const char *path, int type, int flags,
                      connect_function *connect_it) {
    cleanup_close int inode = openat(dir, path, O_PATH | O_CLOEXEC | flags);
    cleanup_close int sock = -1;
    struct sockaddr_un address;
    struct stat status;
    int error;

    if (inode < 0 || fstat(inode, &status) < 0)
        return -errno;
    if (!S_ISSOCK(status.st_mode))
        return -ENOTSOCK;
    error = address_of(&address, inode, NULL);
    if (error < 0)
        return error;
    sock = make_sender(type);
    if (sock < 0)
        return sock;
    error = connect_it(sock, inode, &address);
    return error < 0 ? error : take_fd(&sock);
}

int tsrun_socketpair(int32_t *out) {
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, out) < 0 ? -errno : 0;
}

/* A new socket of `type`, bound to the new file `name` of mode `mode` in the folder `dir`. */
static int bind_in(const char *dir, const char *name, int type, mode_t mode) {
    cleanup_close int folder = -1, sock = -1;
    struct sockaddr_un address;
    int error;

    if (!is_plain_name(name))
        return -EINVAL;
    folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -errno;
    error = address_of(&address, folder, name);
    if (error < 0)
        return error;
    sock = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    /* bind(2) makes the file with the mode of the unbound socket and our umask. */
    if (sock < 0 || fchmod(sock, mode) < 0 ||
        bind(sock, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
        fchmodat(folder, name, mode, 0) < 0)
        return -errno;
    return take_fd(&sock);
}

int tsrun_bind(const char *dir, const char *name) {
    return bind_in(dir, name, SOCK_SEQPACKET, 0600);
}

int tsrun_bind_datagram(const char *dir, const char *name) {
    return bind_in(dir, name, SOCK_DGRAM, 0777);
}

int tsrun_connect(const char *dir, const char *name) {
    cleanup_close int folder = -1;

    if (!is_plain_name(name))
        return -EINVAL;
    folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return folder < 0 ? -errno
                      : connect_at(folder, name, SOCK_SEQPACKET, O_NOFOLLOW, connect_by_child);
}

/* `name`: an abstract name (unix(7)), without its leading NUL. */
static int connect_abstract(const char *name, int type) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(name);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
    cleanup_close int sock = -1;

    if (length == 0)
        return -EINVAL;
    if (length >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    memcpy(address.sun_path + 1, name, length);
    sock = make_sender(type);
    if (sock < 0)
        return sock;
    return connect(sock, (const struct sockaddr *)&address, size) < 0 ? -errno : take_fd(&sock);
}

int tsrun_connect_datagram(const char *path) {
    return path[0] == '@' ? connect_abstract(path + 1, SOCK_DGRAM)
                          : connect_at(AT_FDCWD, path, SOCK_DGRAM, 0, connect_now);
}

int tsrun_connect_stream(const char *path) {
    return connect_at(AT_FDCWD, path, SOCK_STREAM, 0, connect_now);
}
