/* System calls on files that the engine's own file module does not have. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

/* Tries of a lookup that a rename or mount elsewhere disturbs: openat2(2) gives EAGAIN then. */
#define MAX_TRIES 128

int tsrun_flock(int fd, int operation) {
    int result;

    do
        result = flock(fd, operation);
    while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : 0;
}

int tsrun_open_in_root(int root, const char *path, int flags) {
    struct open_how how = {.flags = (unsigned int)flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
    int tries = MAX_TRIES;
    long fd;

    do
        fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
    while (fd < 0 && (errno == EINTR || (errno == EAGAIN && --tries > 0)));
    return fd < 0 ? -errno : (int)fd;
}

int tsrun_set_xattr(const char *path, const char *name, const char *value) {
    return lsetxattr(path, name, value, strlen(value), 0) < 0 ? -errno : 0;
}

int tsrun_get_xattr(const char *path, const char *name, void *value, unsigned int size) {
    ssize_t length = lgetxattr(path, name, value, size);

    return length < 0 ? -errno : (int)length;
}
